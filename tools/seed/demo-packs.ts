/**
 * What the demo catalogue consists of. Each pack has a theme of its own, so that automatic packs come out (they need twelve
 * stickers of one category that do not look alike: hence one heart, not ten of them in all colours). The numbers of opens and
 * likes are made up; they differ so that the rankings do.
 */

export type DemoPack = {
  /** Names the pack in the state file and in idempotency keys; never changes. */
  slug: string;
  name: string;
  description: string;
  tags: string[];
  /** One sticker each, in the order of the pack. */
  emojis: string[];
  /** Second emoji of every third sticker. */
  companion: string;
  isAnimated: boolean;
  /** Counted viewers; the API counts at most 20 from one address. */
  opens: number;
  likes: number;
};

const list = (text: string): string[] => text.split(' ');

/** The animated pack comes first: its stickers take the workers longest. */
export const demoPacks: DemoPack[] = [
  {
    slug: 'animals-in-motion',
    name: 'Animals on the move',
    description: 'They hop, sway and breathe. For a chat that is too quiet.',
    tags: ['animals', 'animated'],
    emojis: list('🐒 🦘 🐇 🦔 🦇 🐓 🦆 🦉 🐊 🦎 🐬 🦑 🦀 🐌 🐝 🦋'),
    companion: '🐾',
    isAnimated: true,
    opens: 14,
    likes: 7,
  },
  {
    slug: 'love',
    name: 'With love',
    description: 'Hearts, kisses and a ring, in case you mean it.',
    tags: ['love', 'hearts'],
    emojis: list('🥰 😍 😘 🤗 😻 😽 💌 💘 💝 💖 💞 💓 💟 ❣️ ❤️‍🔥 ❤️ 💋 🤟 🫶 💏 🫂 💐 🌹 💒 💍'),
    companion: '💕',
    isAnimated: false,
    opens: 18,
    likes: 11,
  },
  {
    slug: 'good-mood',
    name: 'Good mood',
    description: 'Smiles, laughs and a little nonsense.',
    tags: ['happy', 'fun'],
    emojis: list('😀 😄 😁 🙂 🫠 😊 😇 🤩 🤭 😎 🥹 😺 😸 😂 🤣 😆 😹 😉 🙃 😜 🤪 🤠 🥸 🤡 👻 🙈 🙉 🙊'),
    companion: '😃',
    isAnimated: false,
    opens: 16,
    likes: 9,
  },
  {
    slug: 'animals',
    name: 'Wild and tame animals',
    description: 'From the farm to the jungle and down into the sea.',
    tags: ['animals'],
    emojis: list('🐶 🐩 🐺 🦊 🦝 🐱 🐈 🦁 🐯 🐴 🦓 🦌 🐮 🐷 🐏 🐪 🦙 🦒 🐘 🦏 🐭 🐹 🐻 🐨 🐼 🐧 🦚 🐸 🐢 🐙'),
    companion: '🐾',
    isAnimated: false,
    opens: 12,
    likes: 6,
  },
  {
    slug: 'food',
    name: 'Good food',
    description: 'What is for dinner? Answer with one of these.',
    tags: ['food', 'dinner'],
    emojis: list('🍇 🍉 🍋 🍌 🍍 🍎 🍐 🍒 🍓 🥝 🍅 🥑 🥕 🌽 🥦 🍞 🥐 🥨 🧀 🍗 🥩 🍔 🍟 🍕 🌭 🌮 🍳 🥗 🍝 🍣'),
    companion: '🍽️',
    isAnimated: false,
    opens: 9,
    likes: 3,
  },
  {
    slug: 'coffee-and-cake',
    name: 'Coffee and cake',
    description: 'Something to sip and something sweet beside it.',
    tags: ['drink', 'sweets'],
    emojis: list('☕️ 🫖 🍵 🍶 🍷 🍸️ 🍹 🍺 🥃 🥤 🧋 🧃 🧉 🧊 🥛 🍦 🍩 🍪 🍰 🧁 🥧 🍫 🍭 🍮'),
    companion: '🥄',
    isAnimated: false,
    opens: 7,
    likes: 4,
  },
  {
    slug: 'travel',
    name: 'Places to travel to',
    description: 'By road, by rail, by sea, by air: where shall we meet?',
    tags: ['travel', 'holiday'],
    emojis: list('🌍 🗺️ 🧭 🏔️ 🌋 🏖️ 🏝️ 🏟️ 🏠️ 🏰 🗼 🗽 ⛩️ ⛲️ ⛺️ 🌅 🌉 🎡 🚂 🚌 🚕 🚜 🏎️ 🛵 🚲️ ⛵️ ✈️ 🚁 🚀 🧳'),
    companion: '🌐',
    isAnimated: false,
    opens: 11,
    likes: 5,
  },
  {
    slug: 'sport',
    name: 'Sport for everybody',
    description: 'Whistle, ball and medals.',
    tags: ['sport', 'team'],
    emojis: list('🏃 🤺 🏂️ 🏄️ 🚣 🏊️ 🏋️ 🚴 🤸 🧘 🏅 🥇 ⚽️ ⚾️ 🏀 🏐 🏈 🎾 🎳 🏏 🏒 🏓 🏸 🥊 🥋 ⛳️ ⛸️ 🎿'),
    companion: '🎽',
    isAnimated: false,
    opens: 6,
    likes: 2,
  },
  {
    slug: 'celebration',
    name: "Let's celebrate",
    description: 'Birthdays, new years and no reason at all.',
    tags: ['celebration', 'party'],
    emojis: list('🥳 🎅 🎂 🍾 🍻 🥂 🎃 🎄 🎆 🎇 🧨 🎈 🎉 🎊 🎋 🎎 🎏 🎐 🎀 🎁 🎟️ 🏆️ 🪅 🪩'),
    companion: '🎗️',
    isAnimated: false,
    opens: 15,
    likes: 10,
  },
  {
    slug: 'weather',
    name: 'Any weather',
    description: 'Small talk, and what to wear for it.',
    tags: ['weather', 'sky'],
    emojis: list('🌑 🌗 🌙 🌛 🌡️ ☀️ 🌞 🪐 ⭐️ 🌟 🌠 ☁️ ⛈️ 🌤️ 🌧️ 🌨️ 🌪️ 🌬️ 🌀 🌈 ☂️ ⛱️ ⚡️ ❄️ ⛄️ ☄️ 🔥 💧 🌊'),
    companion: '🌥️',
    isAnimated: false,
    opens: 4,
    likes: 1,
  },
];
