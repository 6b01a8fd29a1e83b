import { describe, expect, it } from '@jest/globals';
import { collectorDescription, nextCollectorName, roleOf, withoutMarkers } from './collector-packs.ts';

const pack = (changes: Partial<Parameters<typeof roleOf>[0]> = {}) => ({
  name: 'Cats',
  description: '',
  isAutoPack: false,
  themeKey: null,
  ...changes,
});

describe('roleOf', () => {
  it.each([
    ['a pack that somebody made', pack(), 'own'],
    ['a pack that was made to collect', pack({ isAutoPack: true }), 'collector'],
    ['the marker', pack({ description: 'What I like [AUTO-PACK:collector]' }), 'collector'],
    [
      'the text, without the marker',
      pack({ description: 'coleção automática DE figurinhas criadas pelo usuário.' }),
      'collector',
    ],
    ['a name of the row', pack({ name: 'PACK12' }), 'collector'],
    ['the base name alone', pack({ name: 'pack' }), 'own'],
    ['a name with more behind the number', pack({ name: 'pack 12 cats' }), 'own'],
    ['a number nobody counts up to', pack({ name: 'pack20240101120000' }), 'own'],
    ['a pack of curation', pack({ isAutoPack: true, themeKey: 'love' }), 'theme'],
    ['an empty theme', pack({ isAutoPack: true, themeKey: '' }), 'collector'],
    ['the marker of a theme', pack({ isAutoPack: true, description: '[auto-theme:love:cats]' }), 'theme'],
    ['the marker of a tag', pack({ description: 'x [Auto-Tag:love]' }), 'theme'],
    ['the name of a theme', pack({ name: '[AUTO] Love • Cats • Vol. 1' }), 'theme'],
    ['both markers', pack({ description: `${collectorDescription} [auto-theme:love]` }), 'theme'],
  ])('knows %s', (_name, described, role) => {
    expect(roleOf(described, 'pack')).toBe(role);
  });

  it('takes the base name as it is written, whatever characters it has', () => {
    expect(roleOf(pack({ name: 'meus (1.5)3' }), 'Meus (1.5)')).toBe('collector');
    expect(roleOf(pack({ name: 'meus x1y5z3' }), 'Meus (1.5)')).toBe('own');
  });
});

describe('nextCollectorName', () => {
  it('counts on from the highest number, not from how many there are', () => {
    expect(nextCollectorName([], 'pack')).toBe('pack1');
    expect(nextCollectorName(['Cats', 'pack2', 'PACK9', 'packet77'], 'pack')).toBe('pack10');
  });
});

describe('withoutMarkers', () => {
  it('leaves what a person wrote', () => {
    expect(withoutMarkers(collectorDescription)).toBe('');
    expect(withoutMarkers('Best of [auto-theme:love:animated] 2026')).toBe('Best of  2026');
    expect(withoutMarkers('Just cats [meow]')).toBe('Just cats [meow]');
  });
});
