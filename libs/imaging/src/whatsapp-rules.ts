/**
 * What WhatsApp asks of a sticker and of a pack, as data: one row per rule, with what to do about it and who mends it. A finding
 * is one rule that something breaks, with the value that breaks it. Figures: StickerPackValidator and WebPImage checks of
 * WhatsApp's public sample app; those of Telegram and Signal: their own pages for makers of stickers.
 * runbooks/whatsapp-rules.md shows the same table; a test compares them.
 */

/** What the programs of others accept, which is more than we make ourselves (`stickerLimits`). */
export const whatsappLimits = {
  side: 512,
  maxStaticBytes: 100 * 1_024,
  maxAnimatedBytes: 500 * 1_024,
  minFrameMs: 8,
  maxTotalMs: 10_000,
  minStickers: 3,
  maxStickers: 30,
  minTraySide: 24,
  maxTraySide: 512,
  recommendedTraySide: 96,
  maxTrayBytes: 50 * 1_024,
  maxEmojis: 3,
  /** Of name, publisher and identifier, in UTF-16 units: the sample app asks Java's String.length. */
  maxTextLength: 128,
  maxStaticAltText: 125,
  maxAnimatedAltText: 255,
} as const;

export const otherLimits = {
  telegram: { maxStickers: 120, maxBytes: 512 * 1_024, maxEmojis: 20, side: 512 },
  signal: { maxStickers: 200, maxBytes: 300 * 1_024, side: 512 },
} as const;

type Rule = {
  /** `error`: it is refused. `warning`: it is taken, but not by every reader, or not as it was meant. */
  severity: 'error' | 'warning';
  /** Who mends it without being asked: the file that we make of each upload, the download, or nobody. */
  mendedBy: 'file' | 'export' | 'nobody';
  asks: string;
  remedy: string;
};

const rules = {
  'image-readable': rule('error', 'nobody', 'The file is a picture that can be read', 'Export it again as WebP.'),
  'webp-format': rule('error', 'file', 'The sticker is a WebP', 'Convert it to WebP.'),
  'riff-complete': rule(
    'error',
    'nobody',
    'The RIFF header says no more bytes than the file has',
    'The file was cut off: fetch or export it again.',
  ),
  'riff-trailing-bytes': rule(
    'warning',
    'file',
    'Nothing follows the last chunk',
    'Cut the file where its last chunk ends.',
  ),
  'webp-structure': rule(
    'error',
    'nobody',
    'Chunks lie within their parents and agree with each other',
    'Export the picture again with another program.',
  ),
  'webp-flags': rule(
    'warning',
    'file',
    'The flags of VP8X name the chunks that are there, and no others',
    'Write the container again, for example with webpmux.',
  ),
  'webp-foreign-chunk': rule(
    'warning',
    'file',
    'There are only chunks that pictures need',
    'Remove the chunk, for example with webpmux -strip.',
  ),
  'canvas-size': rule('error', 'file', 'The canvas has 512x512 pixels', 'Fit the picture into 512x512 pixels.'),
  'static-bytes': rule(
    'error',
    'file',
    'A still sticker has at most 102,400 bytes',
    'Lower the quality; aim at 98,000 bytes, since some readers count 100 KB as 100,000.',
  ),
  'animated-bytes': rule(
    'error',
    'file',
    'An animated sticker has at most 512,000 bytes',
    'Lower the quality, or take fewer frames.',
  ),
  'animation-one-frame': rule(
    'warning',
    'file',
    'An animation has more than one frame',
    'Save it as a still picture: it counts as one in a pack.',
  ),
  'frame-duration': rule(
    'error',
    'file',
    'Each frame is shown for at least 8 ms',
    'Show each frame for at least 20 ms: common decoders play anything shorter at 100 ms.',
  ),
  'total-duration': rule(
    'error',
    'file',
    'All frames together take at most 10 s',
    'Shorten the animation, or play it faster.',
  ),
  'exif-block': rule(
    'warning',
    'file',
    'An EXIF chunk holds WhatsApp’s block: a little-endian TIFF directory with tag 0x5741',
    'Write the block again, or remove the EXIF chunk.',
  ),
  'exif-length': rule(
    'warning',
    'file',
    'The block’s length field is that of its JSON text',
    'Write the length with 32 bits: one byte is too little beyond 255.',
  ),
  'exif-too-big': rule(
    'warning',
    'file',
    'The block has at most 16,384 bytes',
    'Keep to pack id, name, publisher, emojis and accessibility text.',
  ),
  'exif-json': rule('warning', 'file', 'The block is a JSON object', 'Write the block again as JSON in UTF-8.'),
  'exif-field': rule(
    'warning',
    'file',
    'The fields of the block have the types, lengths and letters that WhatsApp expects',
    'Correct the field, or leave it out.',
  ),
  'sticker-emojis': rule(
    'error',
    'export',
    'A sticker has one to three emojis',
    'Give it the one to three emojis that say what it means.',
  ),
  'alt-text-length': rule(
    'error',
    'export',
    'The accessibility text has at most 125 characters, of an animated sticker 255',
    'Say it more briefly.',
  ),
  'sticker-not-ready': rule(
    'warning',
    'nobody',
    'Every sticker of the pack is ready',
    'Wait until it is made ready; replace or remove what was rejected.',
  ),
  'sticker-duplicate': rule('warning', 'nobody', 'No sticker is in the pack twice', 'Remove one of the two.'),
  'pack-stickers-min': rule('error', 'nobody', 'A pack has at least 3 stickers', 'Add stickers.'),
  'pack-stickers-max': rule('error', 'nobody', 'A pack has at most 30 stickers', 'Divide it into several packs.'),
  'pack-mixed': rule(
    'error',
    'nobody',
    'The stickers of a pack are all still or all animated',
    'Divide it into a still and an animated pack.',
  ),
  'pack-identifier': rule(
    'error',
    'nobody',
    'The identifier has 1 to 128 of A-Z a-z 0-9 _ - . , \' and blanks, without ".."',
    'Choose another identifier.',
  ),
  'pack-name': rule('error', 'nobody', 'The name has 1 to 128 characters', 'Name the pack, in at most 128 characters.'),
  'pack-publisher': rule(
    'error',
    'export',
    'The publisher has 1 to 128 characters',
    'Say who publishes the pack, in at most 128 characters.',
  ),
  'pack-animated-flag': rule(
    'error',
    'export',
    'contents.json says animated_sticker_pack exactly when its stickers are animated',
    'Set animated_sticker_pack to what the stickers are.',
  ),
  'pack-data-version': rule(
    'error',
    'export',
    'contents.json has an image_data_version',
    'Give it a version, and another one whenever a picture changes.',
  ),
  'tray-missing': rule('error', 'export', 'A pack has a tray image', 'Add a PNG of 96x96 pixels.'),
  'tray-format': rule('error', 'export', 'The tray image is a PNG or a WebP', 'Convert it to PNG.'),
  'tray-size': rule('error', 'export', 'The tray image has 24 to 512 pixels a side', 'Scale it to 96x96 pixels.'),
  'tray-bytes': rule('error', 'export', 'The tray image has at most 51,200 bytes', 'Save it smaller: 96x96 pixels do.'),
  'tray-recommended': rule(
    'warning',
    'export',
    'The tray image is a still one of 96x96 pixels',
    'Scale it to 96x96 pixels.',
  ),
  'file-missing': rule(
    'error',
    'nobody',
    'Each file that contents.json names is there',
    'Add the file, or correct its name.',
  ),
  'file-ignored': rule(
    'warning',
    'nobody',
    'Each file belongs to the pack',
    'Remove the file, or name it in contents.json.',
  ),
  'text-shortened': rule(
    'warning',
    'nobody',
    'Name and publisher fit into the catalogue: 120 characters',
    'Change it after the import if the shortened one does not read well.',
  ),
  'telegram-animated': rule(
    'error',
    'nobody',
    'A static set for Telegram has still stickers only',
    'Animated sets need WebM or TGS, which are not made: download .wastickers.',
  ),
  'telegram-stickers': rule('error', 'nobody', 'A set for Telegram has 1 to 120 stickers', 'Divide the pack.'),
  'telegram-bytes': rule(
    'error',
    'nobody',
    'A sticker for Telegram has at most 524,288 bytes',
    'Use a simpler picture.',
  ),
  'signal-animated': rule(
    'error',
    'nobody',
    'A static set for Signal has still stickers only',
    'Animated sets need APNG, which is not made: download .wastickers.',
  ),
  'signal-stickers': rule('error', 'nobody', 'A set for Signal has 1 to 200 stickers', 'Divide the pack.'),
  'signal-bytes': rule('error', 'nobody', 'A sticker for Signal has at most 307,200 bytes', 'Use a simpler picture.'),
} satisfies Record<string, Rule>;

export type RuleId = keyof typeof rules;

/** The table of rules, in the order of the page that shows it. */
export const whatsappRules: Readonly<Record<RuleId, Rule>> = rules;

export type Finding = {
  rule: RuleId;
  severity: 'error' | 'warning';
  /** What is wrong, with the value found. */
  message: string;
  remedy: string;
  /** It is mended without being asked, by the file that is served or by the download. */
  isMended: boolean;
  /** A file's name or a sticker's id; null when it is about the whole pack, or about the one file that was asked about. */
  subject: string | null;
};

/** `message` says the value found. */
export function finding(rule: RuleId, message: string, subject: string | null = null): Finding {
  const { severity, mendedBy, remedy } = whatsappRules[rule];
  return { rule, severity, message, remedy, isMended: mendedBy !== 'nobody', subject };
}

/** The same findings, about `subject`. */
export function about(subject: string, findings: Finding[]): Finding[] {
  return findings.map((one) => ({ ...one, subject }));
}

/** True for what keeps a pack from being accepted although all that can be mended is mended. */
export function isBlocking({ severity, isMended }: Finding): boolean {
  return severity === 'error' && !isMended;
}

function rule(severity: Rule['severity'], mendedBy: Rule['mendedBy'], asks: string, remedy: string): Rule {
  return { severity, mendedBy, asks, remedy };
}
