/** What the workers would have found out about a made-up pack: its score row and the terms that it is found by. */
import { engagementScore, packScore, scoreOf, termsOfPack, type PackScore } from '@omnizap/catalog';
import { animatedArt, stillArt } from './bulk-words.ts';
import type { PicturePool } from './picture-pool.ts';
import { createPackIds, type PlannedPack } from './plan-packs.ts';

/** Place in the pool of the picture at that position of the pack. */
function pictureAt(pack: Pick<PlannedPack, 'isAnimated' | 'firstPicture'>, position: number): number {
  return pack.isAnimated
    ? stillArt.length + ((pack.firstPicture + position) % animatedArt.length)
    : (pack.firstPicture + position) % stillArt.length;
}

/** Packs that show the same pictures have this in common. */
type Look = { score: PackScore; coverPosition: number; terms: string[] };

export function createPackDescriber(pool: PicturePool, options: { seed: number; stickersPerPack: number }) {
  const ids = createPackIds(options.seed);
  const looks = new Map<string, Look>();

  function lookOf(pack: PlannedPack): Look {
    const known = looks.get(keyOf(pack));
    if (known) return known;
    const pictures = Array.from({ length: options.stickersPerPack }, (_, position) => {
      const picture = pool[pictureAt(pack, position)];
      if (!picture) throw new Error(`There is no picture at ${position} of ${pack.packKey}`);
      return picture;
    });
    const score = scoreOf({
      isPublic: true,
      engagement: { open: 0, like: 0, dislike: 0, download: 0 },
      engagementVersion: 0,
      chosenCoverAssetId: null,
      // Any words will do: WhatsApp asks only that there are some.
      ...{ packKey: 'pack', name: 'Pack', publisher: 'Somebody', tags: [] },
      stickers: pictures.map(({ emoji, sticker, probe, classification }, position) => ({
        assetId: String(position),
        position,
        emojis: [emoji],
        accessibilityLabel: null,
        width: probe.width,
        height: probe.height,
        sizeBytes: probe.sizeBytes,
        isAnimated: sticker.frameCount > 1,
        classification,
      })),
    });
    const look: Look = {
      score,
      coverPosition: Number(score.coverAssetId),
      terms: termsOfPack({
        ...{ name: '', publisher: '', tags: [] },
        labels: score.labels,
        emojis: pictures.map(({ emoji }) => emoji),
      }),
    };
    looks.set(keyOf(pack), look);
    return look;
  }

  return {
    /** Terms that every pack with these pictures has. */
    commonTerms: (pack: PlannedPack): string[] => lookOf(pack).terms,
    /** Terms of this pack beside the common ones. */
    ownTerms(pack: PlannedPack): string[] {
      const common = new Set(lookOf(pack).terms);
      const { name, publisher, tags, companion } = pack;
      return termsOfPack({ name, publisher, tags, labels: [], emojis: [companion] }).filter(
        (term) => !common.has(term),
      );
    },
    scoreOf(pack: PlannedPack, number: number): PackScore {
      const { score, coverPosition } = lookOf(pack);
      const parts = { ...score, engagementScore: engagementScore(pack.counts) };
      return {
        ...parts,
        packScore: packScore(parts),
        nsfwLevel: pack.nsfwLevel,
        isListed: isListed(pack),
        coverAssetId: ids.sticker(number, coverPosition),
        engagementVersion: engagementVersionOf(pack),
      };
    },
  };
}

export type PackDescriber = ReturnType<typeof createPackDescriber>;

/** Which pictures a pack shows. */
export function keyOf(pack: PlannedPack): string {
  return `${pack.isAnimated ? 'animated' : 'still'} ${pack.firstPicture}`;
}

export function isListed(pack: PlannedPack): boolean {
  return pack.visibility === 'public' && pack.status === 'published';
}

/** Each interaction that was counted raised it by one. */
export function engagementVersionOf({ counts }: PlannedPack): number {
  return counts.open + counts.like + counts.dislike + counts.download;
}
