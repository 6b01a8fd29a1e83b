/** The door of the imaging library: probing, analysing, classifying and converting stickers. */

export { analyseImage } from './analyse-image.ts';
export { configureImaging } from './configure-imaging.ts';
export { createEmojiClassifier } from './emoji-classifier.ts';
export type { Classification, ClassifierInput, ClassifierProvider } from './emoji-classifier.ts';
export { foldWord, keywordsOfEmoji, maxEmojisPerSticker, parseEmojis } from './emoji-index.ts';
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
