/**
 * The closed list of sticker categories and how Unicode's subgroups fall into them. Unicode sorts emojis by what they
 * depict, people send stickers for what they mean: where both differ, the emoji has a rule of its own.
 */

import type { EmojiEntry } from './emoji-index.ts';

const subgroupsOfCategory = {
  love: ['face-affection', 'heart'],
  happy: ['face-smiling', 'face-hat', 'face-glasses'],
  laughing: [],
  playful: ['face-tongue', 'monkey-face'],
  sad: ['face-concerned'],
  angry: ['face-negative'],
  surprised: [],
  thinking: ['face-hand', 'face-neutral-skeptical', 'person-gesture'],
  sleepy: ['face-sleepy', 'person-resting'],
  sick: ['face-unwell', 'medical'],
  greeting: [],
  approval: [],
  hands: [
    'hand-fingers-open',
    'hand-fingers-partial',
    'hand-single-finger',
    'hand-fingers-closed',
    'hands',
    'hand-prop',
  ],
  people: ['body-parts', 'person', 'person-activity', 'family', 'person-symbol'],
  work: ['person-role', 'computer', 'phone', 'mail', 'writing', 'office', 'book-paper', 'tool', 'science'],
  fantasy: ['face-costume', 'person-fantasy'],
  animals: [
    'cat-face',
    'animal-mammal',
    'animal-bird',
    'animal-amphibian',
    'animal-reptile',
    'animal-marine',
    'animal-bug',
  ],
  nature: ['plant-flower', 'plant-other'],
  food: ['food-fruit', 'food-vegetable', 'food-prepared', 'food-asian', 'food-sweet', 'food-marine', 'dishware'],
  drink: ['drink'],
  travel: [
    ...['place-map', 'place-geographic', 'place-building', 'place-religious', 'place-other', 'hotel'],
    ...['transport-ground', 'transport-water', 'transport-air', 'transport-sign'],
  ],
  weather: ['sky-weather'],
  sport: ['person-sport', 'sport', 'award-medal'],
  games: ['game'],
  music: ['music', 'musical-instrument', 'sound'],
  celebration: ['event'],
  fashion: ['clothing'],
  money: ['money', 'currency'],
  objects: ['arts-crafts', 'light-video', 'lock', 'household', 'other-object', 'time'],
  symbols: [
    ...[
      'emotion',
      'warning',
      'arrow',
      'religion',
      'zodiac',
      'av-symbol',
      'gender',
      'math',
      'punctuation',
      'other-symbol',
    ],
    ...['keycap', 'alphanum', 'geometric'],
  ],
  flags: ['flag', 'country-flag', 'subdivision-flag'],
  other: [],
} as const satisfies Record<string, readonly string[]>;

export type StickerCategory = keyof typeof subgroupsOfCategory;

const emojisOfCategory: Partial<Record<StickerCategory, string>> = {
  love: '😍 🥰 😘 😗 😚 😙 😻 😽 🫶 💋 💏 💑 👩‍❤️‍👨 👨‍❤️‍👨 👩‍❤️‍👩 💐 🌹 🤗 🫂 💍 💒 💌 🤟',
  happy: '🤩 😌 🥹 🤭 😺 😸 ☺️ 🙂 😊',
  laughing: '😂 🤣 😆 😅 😹',
  playful: '😉 🙃 😏 🥸 😜 🤪 😝 🤡 👻 🙈 🙉 🙊 🤠 😈',
  sad: '😩 😢 😭 😞 😔 😪 🥲 💔 😿 🙍 🥀 😥 ❤️‍🩹',
  angry: '😠 😡 🤬 😤 😾 👿 💢 🗯️ 🙎 🖕 👊 😒 🙄 👎',
  surprised: '😮 😯 😲 😳 😱 😨 😧 😦 🤯 🙀 😵 🫨 🫢 🫣 🤨 😬 ❗️ ‼️ ⁉️ 💥',
  thinking: '🤔 🧐 💭 🤷 🤓 ❓️ ❔️ 😕 🫤 💡 👀 🤫 🤐 🫡 🕵️',
  sleepy: '😴 🥱 💤 😪 😫 🛌 🛏️ 🪫 😮‍💨',
  sick: '😷 🤒 🤕 🤢 🤮 🤧 😖 😣',
  greeting: '👋 🙋 🤝 🖖 🙇 🫱 🫲',
  approval: '👍️ 👌 👏 🙌 ✅️ ☑️ ✔️ 💯 🆗 💪 🙏 🤞 🫰 🙆 ✌️ 🤙 🤘 🎯',
  fantasy: '💀 ☠️ 👹 👺 👽️ 👾 🤖 💩 🦄 🐉 🐲 🧸 🔮 🪄 ⚰️ 🪦',
  work: '🔋 🔌 💼 📈 📉 📊 🏢 🏫 🎓️ 👨‍💻 👩‍💻 🧑‍💻',
  music: '💃 🕺 🎶 🎵 👯 🧑‍🎤 👨‍🎤 👩‍🎤',
  celebration: '🥳 🎂 🍾 🥂 🍻 🎅 🤶 🎆 🪅 🪩 🎁 🏆️',
  weather: '🔥 🌈 ⭐️ 🌟 ☀️ 🌙',
  sport: '🏋️ 🏆️ 🧘 🚴 🏊️ 🏃 🤸',
  travel: '⛺️ 🧳 🗿 🏠️ 🏡',
  money: '🤑 💸 💰️ 💳️ 🛍️ 🛒',
  symbols: '✨️ 💫',
};

// A raised hand means the same from a man and a woman; Unicode lists them as emojis of their own.
const bareForm = (emoji: string) => emoji.replace(/\ufe0f/g, '').replace(/\u200d[\u2640\u2642]$/, '');
const categoryOfSubgroup = new Map<string, StickerCategory>(
  Object.entries(subgroupsOfCategory).flatMap(([category, subgroups]) =>
    subgroups.map((subgroup) => [subgroup, category as StickerCategory] as const),
  ),
);
// The first category that names an emoji owns it.
const categoryOfEmoji = new Map<string, StickerCategory>(
  Object.entries(emojisOfCategory)
    .reverse()
    .flatMap(([category, list]) =>
      list.split(' ').map((emoji) => [bareForm(emoji), category as StickerCategory] as const),
    ),
);

/** The closed list of categories, `other` included. */
export function categories(): StickerCategory[] {
  return Object.keys(subgroupsOfCategory) as StickerCategory[];
}

/** The one category of an emoji. */
export function categoryOf(entry: EmojiEntry): StickerCategory {
  return categoryOfEmoji.get(bareForm(entry.emoji)) ?? categoryOfSubgroup.get(entry.subgroup) ?? 'other';
}
