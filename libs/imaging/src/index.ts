/** The door of the imaging library: probing, analysing, classifying and converting stickers. */

export { analyseImage } from './analyse-image.ts';
export { configureImaging } from './configure-imaging.ts';
export { createEmojiClassifier } from './emoji-classifier.ts';
export type { Classification, ClassifierInput, ClassifierProvider } from './emoji-classifier.ts';
export { foldWord, keepEmojis, keywordsOfEmoji, maxEmojisPerSticker, parseEmojis } from './emoji-index.ts';
export { emojisOfKeyword, plainEmoji } from './emoji-keywords.ts';
export { imageLimits, stickerLimits } from './image-limits.ts';
export type {
  ImageAnalysis,
  ImageFeatures,
  ImageFormat,
  ImageHashes,
  ImageProbe,
  StickerMetadata,
} from './image-types.ts';
export { makeDerivatives } from './make-derivatives.ts';
export type { Derivatives, StickerAdjustment, StickerMetadataInput } from './make-derivatives.ts';
export { hammingDistance, isNearDuplicate, maxDuplicateDistance, minHashQuality } from './near-duplicate.ts';
export type { HashSet } from './near-duplicate.ts';
export { probeImage } from './probe-image.ts';
export { categories } from './sticker-taxonomy.ts';
export type { StickerCategory } from './sticker-taxonomy.ts';
export { fittingAltText, fittingEmojis, shortenText } from './sticker-words.ts';
export { layOutPack, packFormats } from './pack-layouts.ts';
export type { PackFormat } from './pack-layouts.ts';
export { readPackFile } from './read-pack-file.ts';
export type { PackFile, PackSource } from './read-pack-file.ts';
export { writeStickerExif } from './sticker-exif.ts';
export { makeTray, validateTray } from './tray-image.ts';
export { validatePack, validateStaticSet } from './validate-pack.ts';
export type { PackFacts } from './validate-pack.ts';
export { validateSticker, validateStickerWords } from './validate-sticker.ts';
export type { StickerFacts, StickerVerdict } from './validate-sticker.ts';
export { withExif } from './webp-container.ts';
export { about, finding, isBlocking, otherLimits, whatsappLimits, whatsappRules } from './whatsapp-rules.ts';
export type { Finding, RuleId } from './whatsapp-rules.ts';
export { validatePackFile } from './validate-pack-file.ts';
export type { PackFileVerdict } from './validate-pack-file.ts';
export { isZip, openZip } from './zip-reader.ts';
export { writeZip } from './zip-writer.ts';
export type { ZipItem } from './zip-writer.ts';
