import { describe, expect, it } from '@jest/globals';
import { structuredData } from './structured-data.ts';

describe('structuredData', () => {
  it('says what it was given, in JSON that cannot end the element that holds it', () => {
    const name = '</script><!-- & \u2028 \u2029 "quoted" \\';

    const { text } = structuredData('ImageGallery', { name });

    expect(JSON.parse(text)).toEqual({ '@context': 'https://schema.org', '@type': 'ImageGallery', name });
    expect(text).not.toMatch(/[<>&\u2028\u2029]/);
  });
});
