/** Categories of stickers in words; what a later classifier adds shows as it is called. */
import { categories, type StickerCategory } from '@omnizap/imaging';
import type { Language } from './languages.ts';

const portuguese: Record<string, string> = {
  love: 'Amor',
  happy: 'Feliz',
  laughing: 'Risadas',
  playful: 'Zoeira',
  sad: 'Triste',
  angry: 'Bravo',
  surprised: 'Surpreso',
  thinking: 'Pensativo',
  sleepy: 'Soninho',
  sick: 'Doente',
  greeting: 'Saudações',
  approval: 'Aprovado',
  hands: 'Mãos',
  people: 'Pessoas',
  work: 'Trabalho',
  fantasy: 'Fantasia',
  animals: 'Animais',
  nature: 'Natureza',
  food: 'Comida',
  drink: 'Bebidas',
  travel: 'Viagem',
  weather: 'Clima',
  sport: 'Esporte',
  games: 'Jogos',
  music: 'Música',
  celebration: 'Festa',
  fashion: 'Moda',
  money: 'Dinheiro',
  objects: 'Objetos',
  symbols: 'Símbolos',
  flags: 'Bandeiras',
  other: 'Outros',
} satisfies Record<StickerCategory, string>;

export const galleryCategories: StickerCategory[] = categories().filter((category) => category !== 'other');

export function categoryName(category: string, language: Language): string {
  const words = category.split('-').join(' ');
  const english = words.charAt(0).toUpperCase() + words.slice(1);
  return language === 'pt-BR' ? (portuguese[category] ?? english) : english;
}
