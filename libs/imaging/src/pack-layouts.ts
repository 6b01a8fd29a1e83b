/**
 * How the files of a pack lie in its zip, for each program that takes them. `.wastickers` has no standard: this is what its
 * readers agree on (title.txt, author.txt, one PNG as tray, WebPs). `contents.json` is that of WhatsApp's sample app.
 */

export const packFormats = ['wastickers', 'whatsapp', 'telegram', 'signal'] as const;
export type PackFormat = (typeof packFormats)[number];

export type PackContent = {
  identifier: string;
  name: string;
  publisher: string;
  /** Differs whenever a picture or a word differs: WhatsApp keeps what it has as long as this stays. */
  dataVersion: string;
  isAnimated: boolean;
  stickers: { emojis: string[]; accessibilityText: string | undefined }[];
};

export type PackLayout = {
  /** Null where the tray is no part of it. */
  trayName: string | null;
  /** In the order of the stickers. */
  stickerNames: string[];
  texts: { name: string; bytes: Buffer }[];
};

/** Names and texts of a pack's zip. */
export function layOutPack(format: PackFormat, pack: PackContent): PackLayout {
  const folder = format === 'whatsapp' ? `${pack.identifier}/` : '';
  const digits = Math.max(2, String(pack.stickers.length).length);
  const fileNames = pack.stickers.map((_, index) => `${String(index + 1).padStart(digits, '0')}.webp`);
  const stickerNames = fileNames.map((name) => folder + name);
  const text = (name: string, value: string | object) => ({
    name,
    bytes: Buffer.from(typeof value === 'string' ? value : `${JSON.stringify(value, null, 2)}\n`),
  });
  if (format === 'wastickers')
    return {
      trayName: 'tray.png',
      stickerNames,
      texts: [text('title.txt', pack.name), text('author.txt', pack.publisher)],
    };
  if (format === 'whatsapp')
    return {
      trayName: `${folder}tray.png`,
      stickerNames,
      texts: [text('contents.json', contentsOf(pack, fileNames))],
    };
  const stickers = pack.stickers.map(({ emojis, accessibilityText }, index) => ({
    file: fileNames[index],
    ...(format === 'signal' ? { emoji: emojis[0] } : { emojis }),
    ...(accessibilityText === undefined ? {} : { accessibility_text: accessibilityText }),
  }));
  return {
    trayName: null,
    stickerNames,
    texts: [text('pack.json', { title: pack.name, author: pack.publisher, stickers })],
  };
}

function contentsOf(pack: PackContent, fileNames: string[]): object {
  return {
    android_play_store_link: '',
    ios_app_store_link: '',
    sticker_packs: [
      {
        identifier: pack.identifier,
        name: pack.name,
        publisher: pack.publisher,
        tray_image_file: 'tray.png',
        image_data_version: pack.dataVersion,
        avoid_cache: false,
        publisher_email: '',
        publisher_website: '',
        privacy_policy_website: '',
        license_agreement_website: '',
        ...(pack.isAnimated ? { animated_sticker_pack: true } : {}),
        stickers: pack.stickers.map(({ emojis, accessibilityText }, index) => ({
          image_file: fileNames[index],
          emojis,
          ...(accessibilityText === undefined ? {} : { accessibility_text: accessibilityText }),
        })),
      },
    ],
  };
}
