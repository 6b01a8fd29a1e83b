/**
 * What examples of operations work on. `'{ownPackKey}'` in an example stands for the value of that name: in the document for the
 * sample here, in tests for something of that kind which they made. A value that is nothing but a fixture takes its type as well.
 */
export const exampleFixtures = {
  ownPackKey: { sample: 'happy-cats-7f3k2m', description: 'A published public pack of the caller, with stickers' },
  draftPackKey: { sample: 'new-cats-1b9x4q', description: 'A draft of the caller, with a ready sticker' },
  publicPackKey: { sample: 'party-dogs-5d8w0n', description: 'A published public pack of somebody else' },
  stickerId: { sample: '019ab3c0-5d1e-7c44-9e0f-3a1b2c4d5e6f', description: 'A ready sticker of ownPackKey' },
  secondStickerId: { sample: '019ab3c0-6a2b-7d10-8c3d-4b5a6f7e8d9c', description: 'Another one of ownPackKey' },
  stickerIds: {
    sample: ['019ab3c0-5d1e-7c44-9e0f-3a1b2c4d5e6f', '019ab3c0-6a2b-7d10-8c3d-4b5a6f7e8d9c'],
    description: 'All stickers of ownPackKey',
  },
  throwawayPackKey: { sample: 'old-cats-2c7v9z', description: 'A published pack of the caller that may be lost' },
  throwawayStickerId: {
    sample: '019ab3c0-7b3c-7e21-9d4e-5c6b7a8f9e0d',
    description: 'The first sticker of throwawayPackKey, which has two',
  },
  throwawayKeyId: { sample: '9f86d081884c7d65', description: 'An API key that may be lost' },
  heldPackKey: { sample: 'odd-cats-4f6h1s', description: 'A pack that waits for review, and may be lost' },
  throwawayBanId: { sample: '019ab3c0-8c4d-7f32-8e5f-6d7c8b9a0f1e', description: 'A ban that may end' },
  throwawayReportId: { sample: 12, description: 'A report that may be closed' },
  throwawayWebhookId: {
    sample: '019ab3c0-9d5e-7a43-8f60-7e8d9c0b1a2f',
    description: 'A webhook of the caller that may be lost',
  },
  newOwnerId: { sample: 'bot-4711', description: 'An owner who has nothing yet' },
  newPicture: { sample: 'sticker.webp', description: 'A picture that the catalogue does not have' },
  newPackFile: { sample: 'pack.wastickers', description: 'A .wastickers file with three stickers' },
  viewerKey: { sample: 'visitor-42', description: 'A viewer' },
  outboxDeadLetterId: { sample: 17, description: 'An event that failed for good' },
  throwawayDeadLetterId: { sample: 18, description: 'An event that failed for good and may be settled' },
  rolloutRunId: { sample: 3, description: 'A run of the rollout controller' },
  rolloutRequestId: { sample: 5, description: 'Something that the rollout controller was asked' },
} as const satisfies Record<string, { sample: unknown; description: string }>;
export type ExampleFixture = keyof typeof exampleFixtures;

const reference = /\{(\w+)\}/g;

/**
 * `value` with its fixtures filled in by `lookUp`, whatever they are nested in. What stands in braces but is no name that `lookUp`
 * knows stays as it is when `lookUp` answers undefined.
 */
export function fillExample<T>(value: T, lookUp: (name: string) => unknown): T {
  if (typeof value === 'string') {
    const [, whole] = /^\{(\w+)\}$/.exec(value) ?? [];
    if (whole !== undefined) return (lookUp(whole) ?? value) as T;
    return value.replaceAll(reference, (written, name: string) => {
      const found = lookUp(name);
      return typeof found === 'string' || typeof found === 'number' ? String(found) : written;
    }) as T;
  }
  if (Array.isArray(value)) return value.map((item: unknown) => fillExample(item, lookUp)) as T;
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fillExample<unknown>(item, lookUp)]),
    ) as T;
  return value;
}

/** The sample of a fixture, undefined for another name. */
export function sampleOf(name: string): unknown {
  return name in exampleFixtures ? exampleFixtures[name as ExampleFixture].sample : undefined;
}
