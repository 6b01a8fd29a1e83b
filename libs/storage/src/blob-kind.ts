/** `original` as uploaded; `sticker` and `preview` are what is served. */
export type BlobKind = 'original' | 'sticker' | 'preview';
