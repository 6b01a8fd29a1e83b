/** Small pictures inside of text, in its colour; their meaning always stands beside them in words. */
import { html, type Content } from '../html.ts';

const paths = {
  heart: 'M12 20.5 3.9 12.6a5.1 5.1 0 0 1 7.2-7.3l.9.9.9-.9a5.1 5.1 0 0 1 7.2 7.3Z',
  motion: 'M13 2 4.5 13.5h6L9.5 22 19.5 9.5h-6.4Z',
  search:
    'M10.5 3a7.5 7.5 0 1 0 4.7 13.3l4.2 4.3 1.8-1.8-4.3-4.2A7.5 7.5 0 0 0 10.5 3Zm0 2.6a4.9 4.9 0 1 1 0 9.8 4.9 4.9 0 0 1 0-9.8Z',
  share:
    'M12 2a10 10 0 0 0-8.6 15.1L2 22l5-1.3A10 10 0 1 0 12 2Zm-3.1 5.2c.3 0 .5 0 .7.5l.8 1.9c.1.3 0 .5-.1.7l-.7.9c.8 1.5 1.9 2.5 3.4 3.1l.9-1.1c.2-.2.4-.3.7-.2l1.9.9c.4.2.4.4.4.7 0 1.3-1.1 2.4-2.4 2.4-3.9 0-7.7-3.9-7.7-7.5 0-1.2.9-2.3 2.1-2.3Z',
  download: 'M10.7 3h2.6v8.2l2.8-2.8 1.8 1.9-5.9 5.9-5.9-5.9 1.8-1.9 2.8 2.8ZM4 18.4h16V21H4Z',
  arrow: 'm13.3 4.8 7.2 7.2-7.2 7.2-1.9-1.9 4-4H3.5v-2.6h11.9l-4-4Z',
  eye: 'M12 5c5 0 8.7 4.2 10 7-1.3 2.8-5 7-10 7s-8.7-4.2-10-7c1.3-2.8 5-7 10-7Zm0 3.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6Z',
} as const;

export function icon(name: keyof typeof paths): Content {
  return html`<svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
    <path d=${paths[name]} />
  </svg>`;
}
