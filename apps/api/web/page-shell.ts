/**
 * The frame of every page: head, header, footer, language switch. A page gives its title, its own styles and scripts, and its
 * content; everything else is the same everywhere.
 *
 * To add a page: describe it with `page({...})` (page.ts) in a file of pages/, list it in web-pages.ts, put its words into
 * messages.ts (all languages), its styles into apps/console/styles and its script into apps/console/scripts. The content policy
 * (page-routes.ts) allows no inline style, script or handler: set data-* attributes and classes, and let the script read them.
 * Links between pages go through `linkTo`, which keeps a language that was asked for.
 */
import { html, renderDocument, type Content } from './html.ts';
import { languages, type Language } from './languages.ts';
import type { PageContext } from './page.ts';
import type { StructuredData } from './structured-data.ts';

const languageNames: Record<Language, string> = { en: 'English', 'pt-BR': 'Português' };
const themeColors = { light: '#fff8ee', dark: '#15121f' };

export type ShellOptions = {
  context: PageContext;
  /** Without the site's name. */
  title: string | null;
  description: string;
  /** Which entry of the menu this page is. */
  section?: 'home' | 'packs';
  /** Names in apps/console/styles, after those of the shell. */
  styles?: string[];
  /** Names in apps/console/scripts, with the ending `.js`. */
  scripts?: string[];
  /** Picture for previews of links: path and measures. */
  image?: { path: string; width: number; height: number; alt: string };
  structuredData?: StructuredData[];
  /** Keeps search engines away: error pages, pages for one visitor. */
  isPrivate?: boolean;
  /** More of the head: preloads, prev and next. */
  head?: Content;
  content: Content;
};

/** The URL path of a page of ours in the language that the visitor asked for. `path` may carry parameters. */
export function linkTo(context: PageContext, path: string, language?: Language): string {
  if (language === undefined && !context.isLanguageChosen) return path;
  return `${path}${path.includes('?') ? '&' : '?'}lang=${language ?? context.language}`;
}

/** The whole document as text. */
export function shell(options: ShellOptions): string {
  const { context, title, description } = options;
  const { assets, language, t, origin } = context;
  const fullTitle = title === null ? `${t('site.name')} · ${t('site.tagline')}` : `${title} · ${t('site.name')}`;
  const canonical = `${origin}${linkTo(context, context.path)}`;
  const image = options.image ?? { path: assets.url('hero-1280.jpg'), width: 1280, height: 960, alt: '' };
  return renderDocument(html`
    <html lang=${language}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${fullTitle}</title>
        <meta name="description" content=${description} />
        ${
          options.isPrivate === true
            ? html`<meta name="robots" content="noindex" />`
            : [
                html`<link rel="canonical" href=${canonical} />`,
                ...languages.map(
                  (one) =>
                    html`<link
                      rel="alternate"
                      hreflang=${one}
                      href=${`${origin}${linkTo(context, context.path, one)}`}
                    />`,
                ),
                html`<link rel="alternate" hreflang="x-default" href=${`${origin}${context.path}`} />`,
              ]
        }
        <meta name="theme-color" content=${themeColors.light} media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content=${themeColors.dark} media="(prefers-color-scheme: dark)" />
        <meta name="color-scheme" content="light dark" />
        ${['shell.css', ...(options.styles ?? [])].map(
          (name) => html`<link rel="stylesheet" href=${assets.url(name)} />`,
        )}
        <link rel="preload" as="image" type="image/webp" href=${assets.url('logo-128.webp')} />
        ${options.head ?? null}
        ${(options.scripts ?? []).map((name) => html`<script type="module" src=${assets.url(name)}></script>`)}
        <link rel="icon" type="image/svg+xml" href=${assets.url('brand.svg')} />
        <link rel="icon" type="image/png" sizes="192x192" href=${assets.url('icon-192.png')} />
        <link rel="apple-touch-icon" href=${assets.url('icon-192.png')} />
        <link rel="manifest" href=${assets.url('site.webmanifest')} />
        <meta property="og:site_name" content=${t('site.name')} />
        <meta property="og:type" content="website" />
        <meta property="og:title" content=${title ?? t('site.tagline')} />
        <meta property="og:description" content=${description} />
        <meta property="og:url" content=${canonical} />
        <meta property="og:locale" content=${language.replace('-', '_')} />
        <meta property="og:image" content=${`${origin}${image.path}`} />
        <meta property="og:image:width" content=${image.width} />
        <meta property="og:image:height" content=${image.height} />
        <meta property="og:image:alt" content=${image.alt} />
        <meta name="twitter:card" content=${options.image ? 'summary' : 'summary_large_image'} />
        <meta name="twitter:title" content=${title ?? t('site.tagline')} />
        <meta name="twitter:description" content=${description} />
        <meta name="twitter:image" content=${`${origin}${image.path}`} />
        ${(options.structuredData ?? []).map(
          (data) => html`<script type="application/ld+json" dangerouslySetInnerHTML=${{ __html: data.text }}></script>`,
        )}
      </head>
      <body>
        <a class="skip-link" href="#content">${t('shell.skip')}</a>
        ${header(options)}
        <main id="content" tabindex="-1">${options.content}</main>
        ${footer(context)}
      </body>
    </html>
  `);
}

function header({ context, section }: ShellOptions): Content {
  const { assets, t } = context;
  const entry = (name: ShellOptions['section'], path: string, label: string): Content =>
    html`<li>
      <a href=${linkTo(context, path)} aria-current=${section === name ? 'page' : undefined}>${label}</a>
    </li>`;
  return html`
    <header class="site-header">
      <div class="bar">
        <a class="brand" href=${linkTo(context, '/')}>
          <img src=${assets.url('logo-128.webp')} width="44" height="44" alt="" />
          <span>OmniZap <b>Stickers</b></span>
        </a>
        <nav aria-label=${t('shell.main-menu')}>
          <ul class="menu">
            ${entry('packs', '/stickers', t('shell.packs'))}
          </ul>
        </nav>
      </div>
    </header>
  `;
}

function footer(context: PageContext): Content {
  const { language, path, t } = context;
  return html`
    <footer class="site-footer">
      <div class="bar">
        <p>${t('shell.footer')} <a href=${linkTo(context, '/user')}>${t('shell.owner')}</a></p>
        <nav aria-label=${t('shell.language')}>
          <ul class="menu">
            ${languages.map(
              (one) =>
                html`<li>
                  <a
                    href=${linkTo(context, path, one)}
                    lang=${one}
                    hreflang=${one}
                    aria-current=${one === language ? 'true' : undefined}
                    >${languageNames[one]}</a
                  >
                </li>`,
            )}
          </ul>
        </nav>
      </div>
    </footer>
  `;
}
