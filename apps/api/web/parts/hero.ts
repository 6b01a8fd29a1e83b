/** The picture of the front page, in the newest format that the browser takes and the size that its screen needs. */
import { html, type Content } from '../html.ts';
import type { PageContext } from '../page.ts';

const width = 1_280;
const height = 960;
const sizes = '(min-width: 900px) 560px, 92vw';

function sources({ assets }: PageContext, format: 'avif' | 'webp' | 'jpg'): string {
  return `${assets.url(`hero-720.${format}`)} 720w, ${assets.url(`hero-1280.${format}`)} 1280w`;
}

export function heroPicture(context: PageContext): Content {
  return html`
    <picture class="hero-art">
      <source type="image/avif" srcset=${sources(context, 'avif')} sizes=${sizes} />
      <source type="image/webp" srcset=${sources(context, 'webp')} sizes=${sizes} />
      <img
        src=${context.assets.url('hero-1280.jpg')}
        srcset=${sources(context, 'jpg')}
        sizes=${sizes}
        width=${width}
        height=${height}
        alt=""
        fetchpriority="high"
      />
    </picture>
  `;
}

/** A browser that does not know AVIF leaves this alone. */
export function heroPreload(context: PageContext): Content {
  return html`<link
    rel="preload"
    as="image"
    type="image/avif"
    imagesrcset=${sources(context, 'avif')}
    imagesizes=${sizes}
    fetchpriority="high"
  />`;
}
