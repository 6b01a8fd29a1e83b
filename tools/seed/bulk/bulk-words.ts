/** Words of made-up packs in Portuguese, English and Spanish; the first of a list are used most. */

const list = (text: string): string[] => text.split(' ');

export type Language = {
  /** Of all packs. */
  share: number;
  nouns: string[];
  adjectives: string[];
  tags: string[];
  isAdjectiveFirst: boolean;
  describe: (name: string) => string;
};

export const languages: [Language, ...Language[]] = [
  {
    share: 0.5,
    nouns: list(
      'gatinhos memes figurinhas cachorros amor risadas futebol família abraços bom-dia café festa saudade beijos ' +
        'corações natal praia churrasco preguiça trabalho escola música novela dancinhas passarinhos dinossauros ' +
        'robôs plantas viagens bicicletas pizzas sobremesas monstrinhos super-heróis pinguins capivaras',
    ),
    adjectives: list(
      'engraçados fofos brasileiros clássicos novos animados românticos loucos tristes felizes coloridos ' +
        'minimalistas desenhados raros noturnos irônicos nordestinos mineiros gaúchos infantis',
    ),
    tags: list(
      'engraçado fofo zoeira amor bom-dia família futebol meme gato cachorro festa trabalho preguiça saudade ' +
        'brasil carnaval comida música viagem escola aniversário natal namorados domingo',
    ),
    isAdjectiveFirst: false,
    describe: (name) => `${name}: para mandar sem pensar duas vezes.`,
  },
  {
    share: 0.3,
    nouns: list(
      'cats memes reactions dogs love laughs football family hugs mornings coffee party kisses hearts christmas ' +
        'beach barbecue naps office school music dances birds dinosaurs robots plants travels bikes pizzas desserts ' +
        'monsters heroes penguins otters',
    ),
    adjectives: list(
      'funny cute classic new animated romantic crazy sad happy colourful minimal hand-drawn rare sleepy ironic ' +
        'tiny grumpy cosy retro vintage',
    ),
    tags: list(
      'funny cute lol love morning family football meme cat dog party work lazy missing-you food music travel ' +
        'school birthday christmas valentine sunday reaction wholesome',
    ),
    isAdjectiveFirst: true,
    describe: (name) => `${name}, for every chat that is too quiet.`,
  },
  {
    share: 0.2,
    nouns: list(
      'gatitos memes pegatinas perros amor risas fútbol familia abrazos mañanas café fiesta besos corazones navidad ' +
        'playa asado siestas oficina escuela música bailes pájaros dinosaurios robots plantas viajes bicicletas ' +
        'pizzas postres monstruos héroes pingüinos nutrias',
    ),
    adjectives: list(
      'graciosos tiernos clásicos nuevos animados románticos locos tristes felices coloridos mínimos dibujados ' +
        'raros dormidos irónicos pequeños gruñones antiguos mexicanos argentinos',
    ),
    tags: list(
      'gracioso tierno jaja amor buenos-días familia fútbol meme gato perro fiesta trabajo pereza extrañar comida ' +
        'música viaje escuela cumpleaños navidad enamorados domingo reacción ternura',
    ),
    isAdjectiveFirst: false,
    describe: (name) => `${name}, para cada charla.`,
  },
];

/** Names that nobody has heard are made of these: every word that comes out is rare. */
export const syllables = list(
  'ba be bi bo bu ca ce co cu da de di do du fa fe fi fo ga go gu ja jo ju la le li lo lu ma me mi mo mu na ne ni no ' +
    'nu pa pe pi po pu ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo za ze zi zo',
);

/** What each picture of the pool shows. Neighbours share a subject: a pack shows a stretch of them. */
export const stillArt = list(
  '🥰 😍 💋 🌹 💌 💍 😀 😂 😎 🤩 😺 🤪 😢 😭 😡 😱 🤔 😴 🐶 🐱 🦊 🐼 🐸 🦁 🍕 🍔 🍓 🍩 🍺 🍵 🚀 🚲 🎉 🎂 🎸 👍',
);
export const animatedArt = list('🐒 🦘 🐇 🦔 🦇 🐓 🦆 🦉 🐊 🦎 🐬 🦑');
