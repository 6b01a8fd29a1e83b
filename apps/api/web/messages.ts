/** Every word of the pages. `{name}` is filled in; `one|other` chooses by number. A missing translation does not compile. */
import type { Language } from './languages.ts';

type Message = Record<Language, string>;

export const messages = {
  'site.name': { en: 'OmniZap Stickers', 'pt-BR': 'OmniZap Stickers' },
  'site.tagline': { en: 'Stickers for every chat', 'pt-BR': 'Figurinhas para toda conversa' },
  'site.description': {
    en: 'Free sticker packs for WhatsApp, Telegram and Signal: search, preview, and add one to your chats in seconds.',
    'pt-BR':
      'Pacotes de figurinhas grátis para WhatsApp, Telegram e Signal: busque, veja e leve para as suas conversas em segundos.',
  },
  'shell.skip': { en: 'Skip to content', 'pt-BR': 'Pular para o conteúdo' },
  'shell.main-menu': { en: 'Main', 'pt-BR': 'Principal' },
  'shell.packs': { en: 'Sticker packs', 'pt-BR': 'Pacotes' },
  'shell.language': { en: 'Language', 'pt-BR': 'Idioma' },
  'shell.footer': {
    en: 'Stickers belong to whoever made them.',
    'pt-BR': 'As figurinhas são de quem as fez.',
  },
  'docs.title': { en: 'The API', 'pt-BR': 'A API' },
  'docs.description': {
    en: 'Every operation of the sticker catalogue’s HTTP API, with examples.',
    'pt-BR': 'Todas as operações da API HTTP do catálogo de figurinhas, com exemplos.',
  },
  'docs.errors-title': { en: 'Problem codes', 'pt-BR': 'Códigos de problema' },
  'docs.errors-description': {
    en: 'What each problem code of the API means, and what to do about it.',
    'pt-BR': 'O que cada código de problema da API significa e o que fazer.',
  },
  'home.title': { en: 'Say it with a sticker', 'pt-BR': 'Fale com figurinhas' },
  'home.lead': {
    en: 'A look for every moment, one tap away. Pick a pack, preview every sticker, and take it to WhatsApp, Telegram or Signal.',
    'pt-BR':
      'Um jeito para cada momento, a um toque. Escolha um pacote, veja cada figurinha e leve para o WhatsApp, Telegram ou Signal.',
  },
  'home.browse': { en: 'Browse packs', 'pt-BR': 'Ver pacotes' },
  'home.trending-link': { en: 'See what is trending', 'pt-BR': 'Ver o que está em alta' },
  'home.popular': { en: 'Loved right now', 'pt-BR': 'Os queridinhos' },
  'home.recent': { en: 'Fresh from the press', 'pt-BR': 'Acabaram de sair' },
  'home.all': { en: 'See all', 'pt-BR': 'Ver todos' },
  'home.how': { en: 'How it works', 'pt-BR': 'Como funciona' },
  'home.step-1': { en: 'Find your mood', 'pt-BR': 'Ache o seu clima' },
  'home.step-1-text': {
    en: 'Search by word or emoji, or follow what everybody loves today.',
    'pt-BR': 'Busque por palavra ou emoji, ou siga o que todo mundo curte hoje.',
  },
  'home.step-2': { en: 'See it move', 'pt-BR': 'Veja em movimento' },
  'home.step-2-text': {
    en: 'Hover or tap an animated sticker: it plays before you take it.',
    'pt-BR': 'Passe o mouse ou toque numa figurinha animada: ela se mexe antes de você levar.',
  },
  'home.step-3': { en: 'Take it along', 'pt-BR': 'Leve com você' },
  'home.step-3-text': {
    en: 'Share the pack on WhatsApp or download it for the app you use.',
    'pt-BR': 'Compartilhe o pacote no WhatsApp ou baixe para o app que você usa.',
  },
  'list.title': { en: 'Sticker packs', 'pt-BR': 'Pacotes de figurinhas' },
  'list.title-search': { en: 'Packs for “{q}”', 'pt-BR': 'Pacotes para “{q}”' },
  'list.title-category': { en: '{category}: sticker packs', 'pt-BR': '{category}: pacotes de figurinhas' },
  'list.title-creator': { en: '{title} by {creator}', 'pt-BR': '{title} de {creator}' },
  'list.description': {
    en: 'Browse sticker packs for WhatsApp, Telegram and Signal, sorted by what people love.',
    'pt-BR': 'Veja pacotes de figurinhas para WhatsApp, Telegram e Signal, na ordem do que as pessoas mais curtem.',
  },
  'list.sort': { en: 'Sort by', 'pt-BR': 'Ordenar por' },
  'list.packs': { en: 'Packs', 'pt-BR': 'Pacotes' },
  'list.categories': { en: 'Categories', 'pt-BR': 'Categorias' },
  'list.all-categories': { en: 'All', 'pt-BR': 'Todas' },
  'list.search': { en: 'Search', 'pt-BR': 'Buscar' },
  'list.search-label': { en: 'Search sticker packs', 'pt-BR': 'Buscar pacotes de figurinhas' },
  'list.search-hint': { en: 'Name, tag or emoji', 'pt-BR': 'Nome, tag ou emoji' },
  'list.next': { en: 'More packs', 'pt-BR': 'Mais pacotes' },
  'list.loading': { en: 'Loading more packs…', 'pt-BR': 'Carregando mais pacotes…' },
  'list.loaded': { en: '{count} more packs loaded', 'pt-BR': 'Mais {count} pacotes carregados' },
  'list.failed': {
    en: 'More packs could not be loaded. Try again.',
    'pt-BR': 'Não deu para carregar mais pacotes. Tente de novo.',
  },
  'list.end': { en: 'You have seen them all.', 'pt-BR': 'Você já viu todos.' },
  'list.empty': { en: 'No pack fits', 'pt-BR': 'Nenhum pacote encontrado' },
  'list.empty-text': {
    en: 'Try a shorter word, an emoji, or another category.',
    'pt-BR': 'Tente uma palavra mais curta, um emoji ou outra categoria.',
  },
  'list.empty-reset': { en: 'Show all packs', 'pt-BR': 'Mostrar todos os pacotes' },
  'sort.popular': { en: 'Popular', 'pt-BR': 'Populares' },
  'sort.trending': { en: 'Trending', 'pt-BR': 'Em alta' },
  'sort.recent': { en: 'New', 'pt-BR': 'Novos' },
  'sort.likes': { en: 'Most liked', 'pt-BR': 'Mais curtidos' },
  'sort.downloads': { en: 'Most downloaded', 'pt-BR': 'Mais baixados' },
  'sort.rating': { en: 'Best rated', 'pt-BR': 'Melhor avaliados' },
  'pack.by': { en: 'by {publisher}', 'pt-BR': 'por {publisher}' },
  'pack.stickers': { en: '{count} sticker|{count} stickers', 'pt-BR': '{count} figurinha|{count} figurinhas' },
  'pack.likes': { en: '{count} like|{count} likes', 'pt-BR': '{count} curtida|{count} curtidas' },
  'pack.opens': { en: '{count} view|{count} views', 'pt-BR': '{count} visualização|{count} visualizações' },
  'pack.downloads': { en: '{count} download|{count} downloads', 'pt-BR': '{count} download|{count} downloads' },
  'pack.animated': { en: 'Animated', 'pt-BR': 'Animado' },
  'pack.no-cover': { en: 'Cover is being made', 'pt-BR': 'A capa está sendo feita' },
  'pack.grid': { en: 'Stickers of this pack', 'pt-BR': 'Figurinhas deste pacote' },
  'pack.sticker': { en: 'Sticker {position}', 'pt-BR': 'Figurinha {position}' },
  'pack.none': {
    en: 'The stickers of this pack are still being prepared. Look again in a moment.',
    'pt-BR': 'As figurinhas deste pacote ainda estão sendo preparadas. Volte daqui a pouco.',
  },
  'pack.like': { en: 'Like', 'pt-BR': 'Curtir' },
  'pack.liked': { en: 'Liked', 'pt-BR': 'Curtido' },
  'pack.like-failed': {
    en: 'Your like could not be counted. Try again.',
    'pt-BR': 'Não deu para contar a sua curtida. Tente de novo.',
  },
  'pack.thanks': { en: 'Thanks! Your like counts.', 'pt-BR': 'Valeu! Sua curtida conta.' },
  'pack.share': { en: 'Share on WhatsApp', 'pt-BR': 'Compartilhar no WhatsApp' },
  'pack.new-tab': { en: 'opens in a new tab', 'pt-BR': 'abre em outra aba' },
  'pack.download': { en: 'Download for', 'pt-BR': 'Baixar para' },
  'pack.download-wastickers': { en: 'WhatsApp (.wastickers)', 'pt-BR': 'WhatsApp (.wastickers)' },
  'pack.download-whatsapp': { en: 'WhatsApp (zip)', 'pt-BR': 'WhatsApp (zip)' },
  'pack.download-telegram': { en: 'Telegram', 'pt-BR': 'Telegram' },
  'pack.download-signal': { en: 'Signal', 'pt-BR': 'Signal' },
  'pack.animated-note': {
    en: 'Animated packs can be taken to WhatsApp only.',
    'pt-BR': 'Pacotes animados só podem ir para o WhatsApp.',
  },
  'pack.related': { en: 'More like this', 'pt-BR': 'Mais como este' },
  'pack.description': {
    en: '{name}: {stickers} for WhatsApp, Telegram and Signal.',
    'pt-BR': '{name}: {stickers} para WhatsApp, Telegram e Signal.',
  },
  'pack.tags': { en: 'Tags', 'pt-BR': 'Tags' },
  'error.not-found': { en: 'This page got unstuck', 'pt-BR': 'Esta página descolou' },
  'error.not-found-text': {
    en: 'What you are looking for is not here any more, or never was.',
    'pt-BR': 'O que você procura não está mais aqui, ou nunca esteve.',
  },
  'error.bad-request': { en: 'We did not get that', 'pt-BR': 'Não entendemos o pedido' },
  'error.bad-request-text': {
    en: 'Something in the address is not right. Start again from the list of packs.',
    'pt-BR': 'Algo no endereço não está certo. Recomece pela lista de pacotes.',
  },
  'error.expired': { en: 'This list has moved on', 'pt-BR': 'Esta lista já mudou' },
  'error.expired-text': {
    en: 'The ranking was renewed while you were away. Start again from the top.',
    'pt-BR': 'O ranking foi renovado enquanto você estava fora. Recomece do topo.',
  },
  'error.server': { en: 'That did not work', 'pt-BR': 'Isso não funcionou' },
  'error.server-text': {
    en: 'The fault is ours. Try again in a moment.',
    'pt-BR': 'A falha é nossa. Tente de novo daqui a pouco.',
  },
  'error.request': { en: 'Request {id}', 'pt-BR': 'Pedido {id}' },
} as const satisfies Record<string, Message>;

export type MessageKey = keyof typeof messages;
