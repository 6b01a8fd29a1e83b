/** Generated from the OpenAPI document by `npm run check -- --fix --only docs`: change the operations in apps/api. */

export type PackSummary = {
  pack_key: string;
  name: string;
  publisher: string;
  description: string;
  visibility: 'private' | 'unlisted' | 'public';
  status: 'draft' | 'published';
  sticker_count: number;
  cover_url: string | null;
  is_animated: boolean;
  whatsapp_ready: boolean;
  categories: string[];
  tags: string[];
  nsfw_level: 'safe' | 'suggestive' | 'explicit' | 'unknown';
  /** RFC 3339, UTC */
  created_at: string;
  /** RFC 3339, UTC */
  updated_at: string;
  /** For its owner only */
  moderation?: {
    state: 'approved' | 'held' | 'rejected' | 'taken_down';
    /** null while it is approved */
    reason: string | null;
  };
  engagement: {
    open: number;
    like: number;
    dislike: number;
    download: number;
  };
  signals: {
    ranking_score: number;
    pack_score: number;
    trend_score: number;
    quality_score: number;
    engagement_score: number;
    diversity_score: number;
    cohesion_score: number;
  };
};

export type Problem = {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  request_id: string;
  trace_id?: string;
  errors?: {
    pointer: string;
    detail: string;
    rule?: string;
  }[];
};

export type Sticker = {
  sticker_id: string;
  position: number;
  emojis: string[];
  accessibility_label: string | null;
  /** null until the sticker is ready */
  asset_url: string | null;
  preview_url: string | null;
  status: 'pending' | 'ready' | 'rejected';
  rejection_reason: string | null;
  /** For the owner of the pack only */
  moderation?: {
    state: 'approved' | 'held' | 'rejected' | 'taken_down';
    /** null while it is approved */
    reason: string | null;
  };
  width: number;
  height: number;
  size_bytes: number;
  is_animated: boolean;
  classification: {
    category: string;
    confidence: number;
    labels: {
      label: string;
      score: number;
    }[];
    nsfw_level: string;
    provider: string;
    version: string;
  } | null;
};

export type Finding = {
  /** Of runbooks/whatsapp-rules.md */
  rule: string;
  /** error: WhatsApp refuses it */
  severity: 'error' | 'warning';
  message: string;
  remedy: string;
  /** In the file that is served, or in the download */
  fixed_automatically: boolean;
  /** The file or the sticker; null when it is the only one, or the pack */
  subject: string | null;
};

export type ListIntentsInput = {
  query?: {
    /** Words and emojis: of names, tags and stickers */
    q?: string;
    /** Repeatable: packs with at least one of them */
    category?: ('love' | 'happy' | 'laughing' | 'playful' | 'sad' | 'angry' | 'surprised' | 'thinking' | 'sleepy' | 'sick' | 'greeting' | 'approval' | 'hands' | 'people' | 'work' | 'fantasy' | 'animals' | 'nature' | 'food' | 'drink' | 'travel' | 'weather' | 'sport' | 'games' | 'music' | 'celebration' | 'fashion' | 'money' | 'objects' | 'symbols' | 'flags' | 'other') | (('love' | 'happy' | 'laughing' | 'playful' | 'sad' | 'angry' | 'surprised' | 'thinking' | 'sleepy' | 'sick' | 'greeting' | 'approval' | 'hands' | 'people' | 'work' | 'fantasy' | 'animals' | 'nature' | 'food' | 'drink' | 'travel' | 'weather' | 'sport' | 'games' | 'music' | 'celebration' | 'fashion' | 'money' | 'objects' | 'symbols' | 'flags' | 'other')[]);
    /** Also packs that are suggestive or explicit */
    include_sensitive?: 'true' | 'false';
    /** Only animated packs, or only still ones */
    animated?: 'true' | 'false';
    /** Only packs of this publisher, as creators are listed */
    creator?: string;
    /** Packs per shelf */
    limit?: number;
  };
  headers?: {
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
  };
};
export type ListIntentsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      /** Best ranked */
      em_alta: PackSummary[];
      /** Changed last */
      novos: PackSummary[];
      /** Opened more than usual */
      crescendo_agora: PackSummary[];
      /** Most likes */
      mais_curtidos: PackSummary[];
      /** Best share of likes */
      melhor_avaliados: PackSummary[];
    };
    meta: {
      source: 'snapshot' | 'live';
      generation: number | null;
      /** RFC 3339, UTC */
      refreshed_at: string | null;
    };
  } }
  | { status: 304; headers: Headers; body: null };

export type ListCreatorsInput = {
  query?: {
    /** Creators at most */
    limit?: number;
  };
  headers?: {
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
  };
};
export type ListCreatorsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      publisher: string;
      creator_score: number;
      packs_count: number;
      stickers_count: number;
      total_opens: number;
      total_likes: number;
      total_downloads: number;
      avg_pack_score: number;
      top_pack: PackSummary & (Record<string, never> | null);
    }[];
    meta: {
      source: 'snapshot' | 'live';
      generation: number | null;
      /** RFC 3339, UTC */
      refreshed_at: string | null;
    };
  } }
  | { status: 304; headers: Headers; body: null };

export type ListRecommendationsInput = {
  query?: {
    /** The viewer as in X-Viewer-Key, which it stands in for */
    viewer_key?: string;
    /** Packs at most */
    limit?: number;
  };
};
export type ListRecommendationsAnswer =
  | { status: 200; headers: Headers; body: {
    data: PackSummary[];
    meta: {
      source: 'snapshot' | 'live';
      generation: number | null;
      /** RFC 3339, UTC */
      refreshed_at: string | null;
      personalized: boolean;
      liked_categories: string[];
    };
  } };

export type GetStatsInput = {
  headers?: {
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
  };
};
export type GetStatsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      packs_total: number;
      stickers_total: number;
      creators_total: number;
      downloads_total: number;
    };
    meta: {
      source: 'snapshot' | 'live';
      generation: number | null;
      /** RFC 3339, UTC */
      refreshed_at: string | null;
    };
  } }
  | { status: 304; headers: Headers; body: null };

export type GetMarketplaceStatsInput = {
  headers?: {
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
  };
};
export type GetMarketplaceStatsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      total_packs: number;
      total_stickers: number;
      /** Opens of packs */
      total_clicks: number;
      total_likes: number;
      total_downloads: number;
      creators_total: number;
      stickers_without_pack: number;
      packs_last_7_days: number;
      clicks_last_7_days: number;
      likes_last_7_days: number;
      downloads_last_7_days: number;
      /** The oldest first, today last */
      series_last_7_days: {
        /** YYYY-MM-DD, UTC */
        date: string;
        packs_published: number;
        clicks: number;
        likes: number;
        dislikes: number;
        downloads: number;
      }[];
      /** RFC 3339, UTC: when the days were added up */
      updated_at: string;
    };
    meta: {
      source: 'snapshot' | 'live';
      generation: number | null;
      /** RFC 3339, UTC */
      refreshed_at: string | null;
    };
  } }
  | { status: 304; headers: Headers; body: null };

export type ListOwnPacksInput = {
  query?: {
    /** Entries per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
  };
};
export type ListOwnPacksAnswer =
  | { status: 200; headers: Headers; body: {
    data: PackSummary[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
  } };

export type ListOrphanStickersInput = {
  query?: {
    /** Entries per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
  };
};
export type ListOrphanStickersAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      sticker_id: string;
      sha256: string;
      width: number;
      height: number;
      size_bytes: number;
      is_animated: boolean;
      /** RFC 3339, UTC */
      created_at: string;
    }[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
  } };

export type ListPacksInput = {
  query?: {
    /** What comes first */
    sort?: 'popular' | 'trending' | 'recent' | 'likes' | 'downloads' | 'rating';
    /** Words and emojis: of names, tags and stickers */
    q?: string;
    /** Repeatable: packs with at least one of them */
    category?: ('love' | 'happy' | 'laughing' | 'playful' | 'sad' | 'angry' | 'surprised' | 'thinking' | 'sleepy' | 'sick' | 'greeting' | 'approval' | 'hands' | 'people' | 'work' | 'fantasy' | 'animals' | 'nature' | 'food' | 'drink' | 'travel' | 'weather' | 'sport' | 'games' | 'music' | 'celebration' | 'fashion' | 'money' | 'objects' | 'symbols' | 'flags' | 'other') | (('love' | 'happy' | 'laughing' | 'playful' | 'sad' | 'angry' | 'surprised' | 'thinking' | 'sleepy' | 'sick' | 'greeting' | 'approval' | 'hands' | 'people' | 'work' | 'fantasy' | 'animals' | 'nature' | 'food' | 'drink' | 'travel' | 'weather' | 'sport' | 'games' | 'music' | 'celebration' | 'fashion' | 'money' | 'objects' | 'symbols' | 'flags' | 'other')[]);
    /** Also packs that are suggestive or explicit */
    include_sensitive?: 'true' | 'false';
    /** Only animated packs, or only still ones */
    animated?: 'true' | 'false';
    /** Only packs of this publisher, as creators are listed */
    creator?: string;
    /** Packs per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
  };
  headers?: {
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
  };
};
export type ListPacksAnswer =
  | { status: 200; headers: Headers; body: {
    data: PackSummary[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
    meta: {
      source: 'snapshot' | 'live';
      generation: number | null;
      /** RFC 3339, UTC */
      refreshed_at: string | null;
    };
  } }
  | { status: 304; headers: Headers; body: null };

export type CreatePackInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    name: string;
    publisher?: string;
    description?: string;
    visibility?: 'private' | 'unlisted' | 'public';
    tags?: string[];
  };
};
export type CreatePackAnswer =
  | { status: 201; headers: Headers; body: {
    data: PackSummary;
  } };

export type GetPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
  };
};
export type GetPackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      name: string;
      publisher: string;
      description: string;
      visibility: 'private' | 'unlisted' | 'public';
      status: 'draft' | 'published';
      sticker_count: number;
      cover_url: string | null;
      is_animated: boolean;
      whatsapp_ready: boolean;
      categories: string[];
      tags: string[];
      nsfw_level: 'safe' | 'suggestive' | 'explicit' | 'unknown';
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      updated_at: string;
      /** For its owner only */
      moderation?: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
      engagement: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
      signals: {
        ranking_score: number;
        pack_score: number;
        trend_score: number;
        quality_score: number;
        engagement_score: number;
        diversity_score: number;
        cohesion_score: number;
      };
      stickers: Sticker[];
    };
  } }
  | { status: 304; headers: Headers; body: null };

export type DeletePackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
};
export type DeletePackAnswer =
  | { status: 204; headers: Headers; body: null };

export type EditPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
  body: {
    name?: string;
    publisher?: string;
    description?: string;
    visibility?: 'private' | 'unlisted' | 'public';
    tags?: string[];
  };
};
export type EditPackAnswer =
  | { status: 200; headers: Headers; body: {
    data: PackSummary;
  } };

export type GetStickerBytesInput = {
  params: {
    /** Key of the pack */
    packKey: string;
    /** Id of the sticker */
    stickerId: string;
  };
  query?: {
    /** preview: smaller and never animated */
    variant?: 'sticker' | 'preview';
    /** Start of the content’s SHA-256: the answer may be kept for ever */
    v?: string;
    /** Of a signed address: until when it holds, in seconds since 1970 */
    expires?: string;
    /** Of a signed address: base64url of an HMAC-SHA256; owners find it in what they are answered */
    signature?: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
    /** Part of the bytes (RFC 9110): bytes=0-99. */
    Range?: string;
  };
};
export type GetStickerBytesAnswer =
  | { status: 200; headers: Headers; body: Blob }
  | { status: 206; headers: Headers; body: Blob }
  | { status: 302; headers: Headers; body: null }
  | { status: 304; headers: Headers; body: null };

export type OpenPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** Names a viewer, so that many behind one address are told apart; only a keyed hash of it is stored. */
    'X-Viewer-Key'?: string;
  };
};
export type OpenPackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      interaction: string;
      engagement: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
    };
  } };

export type LikePackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** Names a viewer, so that many behind one address are told apart; only a keyed hash of it is stored. */
    'X-Viewer-Key'?: string;
  };
};
export type LikePackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      interaction: string;
      engagement: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
    };
  } };

export type DislikePackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** Names a viewer, so that many behind one address are told apart; only a keyed hash of it is stored. */
    'X-Viewer-Key'?: string;
  };
};
export type DislikePackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      interaction: string;
      engagement: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
    };
  } };

export type DownloadWastickersInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
    /** Part of the bytes (RFC 9110): bytes=0-99. */
    Range?: string;
  };
};
export type DownloadWastickersAnswer =
  | { status: 200; headers: Headers; body: Blob }
  | { status: 206; headers: Headers; body: Blob }
  | { status: 304; headers: Headers; body: null };

export type DownloadWhatsappFolderInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
    /** Part of the bytes (RFC 9110): bytes=0-99. */
    Range?: string;
  };
};
export type DownloadWhatsappFolderAnswer =
  | { status: 200; headers: Headers; body: Blob }
  | { status: 206; headers: Headers; body: Blob }
  | { status: 304; headers: Headers; body: null };

export type DownloadTelegramSetInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
    /** Part of the bytes (RFC 9110): bytes=0-99. */
    Range?: string;
  };
};
export type DownloadTelegramSetAnswer =
  | { status: 200; headers: Headers; body: Blob }
  | { status: 206; headers: Headers; body: Blob }
  | { status: 304; headers: Headers; body: null };

export type DownloadSignalSetInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
    /** Part of the bytes (RFC 9110): bytes=0-99. */
    Range?: string;
  };
};
export type DownloadSignalSetAnswer =
  | { status: 200; headers: Headers; body: Blob }
  | { status: 206; headers: Headers; body: Blob }
  | { status: 304; headers: Headers; body: null };

export type ImportPackInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  form: {
    /** At most 20 MiB */
    file: Blob;
    /** Which pack of a contents.json with several */
    identifier?: string;
  };
};
export type ImportPackAnswer =
  | { status: 201; headers: Headers; body: {
    data: {
      pack_key: string;
      name: string;
      publisher: string;
      description: string;
      visibility: 'private' | 'unlisted' | 'public';
      status: 'draft' | 'published';
      sticker_count: number;
      cover_url: string | null;
      is_animated: boolean;
      whatsapp_ready: boolean;
      categories: string[];
      tags: string[];
      nsfw_level: 'safe' | 'suggestive' | 'explicit' | 'unknown';
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      updated_at: string;
      /** For its owner only */
      moderation?: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
      engagement: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
      signals: {
        ranking_score: number;
        pack_score: number;
        trend_score: number;
        quality_score: number;
        engagement_score: number;
        diversity_score: number;
        cohesion_score: number;
      };
      findings: Finding[];
    };
  } };

export type AddStickerInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  form: {
    /** At most 20 MiB */
    file: Blob;
    /** JSON array of at most 8 emojis */
    emojis?: string;
    /** What it shows, for people who do not see it */
    accessibility_label?: string;
  };
};
export type AddStickerAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      sticker_id: string;
      sha256: string;
      status: 'pending' | 'ready' | 'rejected';
      findings: Finding[];
    };
  } }
  | { status: 202; headers: Headers; body: {
    data: {
      sticker_id: string;
      sha256: string;
      status: 'pending' | 'ready' | 'rejected';
      findings: Finding[];
    };
  } };

export type PublishPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
};
export type PublishPackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      name: string;
      publisher: string;
      description: string;
      visibility: 'private' | 'unlisted' | 'public';
      status: 'draft' | 'published';
      sticker_count: number;
      cover_url: string | null;
      is_animated: boolean;
      whatsapp_ready: boolean;
      categories: string[];
      tags: string[];
      nsfw_level: 'safe' | 'suggestive' | 'explicit' | 'unknown';
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      updated_at: string;
      /** For its owner only */
      moderation?: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
      engagement: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
      signals: {
        ranking_score: number;
        pack_score: number;
        trend_score: number;
        quality_score: number;
        engagement_score: number;
        diversity_score: number;
        cohesion_score: number;
      };
      findings: Finding[];
    };
  } };

export type ChoosePackCoverInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
  body: {
    sticker_id: string;
  };
};
export type ChoosePackCoverAnswer =
  | { status: 200; headers: Headers; body: {
    data: PackSummary;
  } };

export type OrderPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
  body: {
    sticker_ids: string[];
  };
};
export type OrderPackAnswer =
  | { status: 200; headers: Headers; body: {
    data: PackSummary;
  } };

export type ClonePackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    name?: string;
    publisher?: string;
  };
};
export type ClonePackAnswer =
  | { status: 201; headers: Headers; body: {
    data: PackSummary;
  } };

export type EditStickerInput = {
  params: {
    /** Key of the pack */
    packKey: string;
    /** Id of the sticker */
    stickerId: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
  body: {
    emojis?: string[];
    accessibility_label?: string | null;
  };
};
export type EditStickerAnswer =
  | { status: 200; headers: Headers; body: {
    data: Sticker;
  } };

export type RemoveStickerInput = {
  params: {
    /** Key of the pack */
    packKey: string;
    /** Id of the sticker */
    stickerId: string;
  };
  headers?: {
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
};
export type RemoveStickerAnswer =
  | { status: 204; headers: Headers; body: null };

export type ReplaceStickerInput = {
  params: {
    /** Key of the pack */
    packKey: string;
    /** Id of the sticker */
    stickerId: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
    /** ETag that the answer must have; 412 otherwise. */
    'If-Match'?: string;
  };
  form: {
    /** At most 20 MiB */
    file: Blob;
    /** JSON array of at most 8 emojis */
    emojis?: string;
    /** What it shows, for people who do not see it */
    accessibility_label?: string;
  };
};
export type ReplaceStickerAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      sticker_id: string;
      sha256: string;
      status: 'pending' | 'ready' | 'rejected';
      findings: Finding[];
    };
  } }
  | { status: 202; headers: Headers; body: {
    data: {
      sticker_id: string;
      sha256: string;
      status: 'pending' | 'ready' | 'rejected';
      findings: Finding[];
    };
  } };

export type CollectStickerInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  form: {
    /** At most 20 MiB */
    file: Blob;
    /** JSON array of at most 8 emojis */
    emojis?: string;
    /** What it shows, for people who do not see it */
    accessibility_label?: string;
    /** Publisher of a collector pack that is made for it */
    sender_name?: string;
  };
};
export type CollectStickerAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      sticker_id: string;
      sha256: string;
      status: 'pending' | 'ready' | 'rejected';
      findings: Finding[];
      pack_key: string;
      pack_name: string;
      outcome: 'added' | 'duplicate';
    };
  } }
  | { status: 202; headers: Headers; body: {
    data: {
      sticker_id: string;
      sha256: string;
      status: 'pending' | 'ready' | 'rejected';
      findings: Finding[];
      pack_key: string;
      pack_name: string;
      outcome: 'added' | 'duplicate';
    };
  } };

export type GetPackAnalyticsInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  query?: {
    /** Days of the series; the last one is today, UTC */
    days?: number;
  };
};
export type GetPackAnalyticsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      /** Since the pack was made */
      totals: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
      /** Today included */
      last_7_days: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
      last_30_days: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
      /** Lower end of the Wilson score interval (95 %) of likes among all ratings; 0 without */
      rating_score: number;
      days: {
        /** YYYY-MM-DD, UTC */
        day: string;
        open: number;
        like: number;
        dislike: number;
        download: number;
      }[];
    };
  } };

export type CreateWebhookInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** https, on a host of the public internet, without user name, password and fragment */
    url: string;
    /** What to tell of; all, when absent */
    events?: ('pack.published' | 'pack.updated' | 'pack.moderated' | 'pack.deleted')[];
  };
};
export type CreateWebhookAnswer =
  | { status: 201; headers: Headers; body: {
    data: {
      webhook_id: string;
      url: string;
      events: string[];
      /** RFC 3339, UTC */
      created_at: string;
      /** Failed attempts since the last message that was taken */
      failures_in_row: number;
      /** null: nothing was sent yet */
      last_attempt: {
        /** RFC 3339, UTC */
        at: string;
        /** null: there was no answer */
        http_status: number | null;
        /** null: the message was taken */
        error: string | null;
      } | null;
      /** Nothing is sent any more; delete it and make it again */
      disabled: {
        /** RFC 3339, UTC */
        at: string;
        reason: string;
      } | null;
      /** Verifies signatures; shown here and never again */
      secret: string;
    };
  } };

export type ListWebhooksInput = object;
export type ListWebhooksAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      webhook_id: string;
      url: string;
      events: string[];
      /** RFC 3339, UTC */
      created_at: string;
      /** Failed attempts since the last message that was taken */
      failures_in_row: number;
      /** null: nothing was sent yet */
      last_attempt: {
        /** RFC 3339, UTC */
        at: string;
        /** null: there was no answer */
        http_status: number | null;
        /** null: the message was taken */
        error: string | null;
      } | null;
      /** Nothing is sent any more; delete it and make it again */
      disabled: {
        /** RFC 3339, UTC */
        at: string;
        reason: string;
      } | null;
    }[];
  } };

export type DeleteWebhookInput = {
  params: {
    /** Id of the webhook */
    webhookId: string;
  };
};
export type DeleteWebhookAnswer =
  | { status: 204; headers: Headers; body: null };

export type CreateApiKeyInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    owner_id: string;
    scopes: ('catalog:write' | 'admin' | 'metrics')[];
  };
};
export type CreateApiKeyAnswer =
  | { status: 201; headers: Headers; body: {
    data: {
      key_id: string;
      key: string;
    };
  } };

export type RevokeApiKeyInput = {
  params: {
    /** Id of the key */
    keyId: string;
  };
};
export type RevokeApiKeyAnswer =
  | { status: 204; headers: Headers; body: null };

export type ListModerationQueueInput = {
  query?: {
    /** Entries per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
    /** Only these */
    type?: 'pack' | 'sticker';
  };
};
export type ListModerationQueueAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      type: 'pack' | 'sticker';
      /** The pack, or packs that hold the sticker, at most ten */
      pack_keys: string[];
      sticker_id: string | null;
      owner_id: string;
      open_reports: number;
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
        /** null when it is approved */
        since_at: string | null;
        /** The ban that led to it */
        ban_id: string | null;
      };
    }[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
  } };

export type GetPackForAdminInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
};
export type GetPackForAdminAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      name: string;
      publisher: string;
      description: string;
      visibility: 'private' | 'unlisted' | 'public';
      status: 'draft' | 'published';
      sticker_count: number;
      cover_url: string | null;
      is_animated: boolean;
      whatsapp_ready: boolean;
      categories: string[];
      tags: string[];
      nsfw_level: 'safe' | 'suggestive' | 'explicit' | 'unknown';
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      updated_at: string;
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
        /** null when it is approved */
        since_at: string | null;
        /** The ban that led to it */
        ban_id: string | null;
      };
      engagement: {
        open: number;
        like: number;
        dislike: number;
        download: number;
      };
      signals: {
        ranking_score: number;
        pack_score: number;
        trend_score: number;
        quality_score: number;
        engagement_score: number;
        diversity_score: number;
        cohesion_score: number;
      };
      owner_id: string;
      stickers: Sticker[];
      /** Open ones, the newest 50 */
      reports: {
        report_id: number;
        sticker_id: string | null;
        reason: 'nsfw' | 'violence' | 'hate' | 'spam' | 'copyright' | 'illegal' | 'other';
        details: string | null;
        state: 'open' | 'dismissed' | 'upheld';
        /** RFC 3339, UTC */
        created_at: string;
      }[];
      /** The newest 20 */
      actions: {
        audit_id: number;
        actor: string;
        action: string;
        target_type: string;
        target_id: string;
        reason: string | null;
        before?: unknown;
        after?: unknown;
        request_id: string | null;
        /** RFC 3339, UTC */
        at: string;
      }[];
    };
  } };

export type ApprovePackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type ApprovePackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
    };
  } };

export type RejectPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type RejectPackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
    };
  } };

export type TakeDownPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type TakeDownPackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
    };
  } };

export type RestorePackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type RestorePackAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
    };
  } };

export type ApproveStickerInput = {
  params: {
    /** Id of the sticker */
    stickerId: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type ApproveStickerAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
    };
  } };

export type TakeDownStickerInput = {
  params: {
    /** Id of the sticker */
    stickerId: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type TakeDownStickerAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
    };
  } };

export type RestoreStickerInput = {
  params: {
    /** Id of the sticker */
    stickerId: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type RestoreStickerAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      moderation: {
        state: 'approved' | 'held' | 'rejected' | 'taken_down';
        /** null while it is approved */
        reason: string | null;
      };
    };
  } };

export type ListBansInput = {
  query?: {
    /** Entries per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
    /** Only those in force */
    active?: 'true' | 'false';
  };
};
export type ListBansAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      ban_id: string;
      kind: 'owner' | 'sticker';
      owner_id: string | null;
      sha256: string | null;
      /** Near-duplicates are known; false until the sticker was classified */
      has_picture: boolean;
      reason: string;
      made_by: string;
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      revoked_at: string | null;
      revoked_by: string | null;
      revoke_reason: string | null;
      /** false: it still takes, or gives back, what was there before */
      is_settled: boolean;
      /** Packs or stickers that it has in its hands */
      affected: number;
    }[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
  } };

export type MakeBanInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    kind: 'owner' | 'sticker';
    /** owner only, and needed there */
    owner_id?: string;
    /** sticker only: its bytes and what looks like them */
    sticker_id?: string;
    /** sticker only: of the bytes as they were uploaded */
    sha256?: string;
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type MakeBanAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      ban_id: string;
      kind: 'owner' | 'sticker';
      owner_id: string | null;
      sha256: string | null;
      /** Near-duplicates are known; false until the sticker was classified */
      has_picture: boolean;
      reason: string;
      made_by: string;
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      revoked_at: string | null;
      revoked_by: string | null;
      revoke_reason: string | null;
      /** false: it still takes, or gives back, what was there before */
      is_settled: boolean;
      /** Packs or stickers that it has in its hands */
      affected: number;
    };
  } }
  | { status: 201; headers: Headers; body: {
    data: {
      ban_id: string;
      kind: 'owner' | 'sticker';
      owner_id: string | null;
      sha256: string | null;
      /** Near-duplicates are known; false until the sticker was classified */
      has_picture: boolean;
      reason: string;
      made_by: string;
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      revoked_at: string | null;
      revoked_by: string | null;
      revoke_reason: string | null;
      /** false: it still takes, or gives back, what was there before */
      is_settled: boolean;
      /** Packs or stickers that it has in its hands */
      affected: number;
    };
  } };

export type RevokeBanInput = {
  params: {
    /** Id of the ban */
    banId: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type RevokeBanAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      ban_id: string;
      kind: 'owner' | 'sticker';
      owner_id: string | null;
      sha256: string | null;
      /** Near-duplicates are known; false until the sticker was classified */
      has_picture: boolean;
      reason: string;
      made_by: string;
      /** RFC 3339, UTC */
      created_at: string;
      /** RFC 3339, UTC */
      revoked_at: string | null;
      revoked_by: string | null;
      revoke_reason: string | null;
      /** false: it still takes, or gives back, what was there before */
      is_settled: boolean;
      /** Packs or stickers that it has in its hands */
      affected: number;
    };
  } };

export type ListAuditLogInput = {
  query?: {
    /** Entries per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
    /** Such as sticker_pack, sticker_asset, moderation_ban, feature_flag, api_key */
    target_type?: string;
    /** Of packs, the key */
    target_id?: string;
    /** Who did it */
    actor?: string;
  };
};
export type ListAuditLogAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      audit_id: number;
      actor: string;
      action: string;
      target_type: string;
      target_id: string;
      reason: string | null;
      before?: unknown;
      after?: unknown;
      request_id: string | null;
      /** RFC 3339, UTC */
      at: string;
    }[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
  } };

export type ReportPackInput = {
  params: {
    /** Key of the pack */
    packKey: string;
  };
  headers?: {
    /** Names a viewer, so that many behind one address are told apart; only a keyed hash of it is stored. */
    'X-Viewer-Key'?: string;
  };
  body: {
    reason: 'nsfw' | 'violence' | 'hate' | 'spam' | 'copyright' | 'illegal' | 'other';
    /** Absent: the pack as a whole */
    sticker_id?: string;
    details?: string;
  };
};
export type ReportPackAnswer =
  | { status: 202; headers: Headers; body: {
    data: {
      pack_key: string;
      status: 'received';
    };
  } };

export type ListReportsInput = {
  query?: {
    /** Entries per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
  };
};
export type ListReportsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      pack_key: string;
      pack_name: string;
      owner_id: string;
      sticker_id: string | null;
      open_reports: number;
      /** RFC 3339, UTC */
      first_reported_at: string;
      /** RFC 3339, UTC */
      last_reported_at: string;
      /** The newest ten */
      reports: {
        report_id: number;
        sticker_id: string | null;
        reason: 'nsfw' | 'violence' | 'hate' | 'spam' | 'copyright' | 'illegal' | 'other';
        details: string | null;
        state: 'open' | 'dismissed' | 'upheld';
        /** RFC 3339, UTC */
        created_at: string;
      }[];
    }[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
  } };

export type DismissReportInput = {
  params: {
    /** Id of the report */
    reportId: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Kept in the audit log; the owner reads it */
    reason: string;
  };
};
export type DismissReportAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      report_id: number;
      sticker_id: string | null;
      reason: 'nsfw' | 'violence' | 'hate' | 'spam' | 'copyright' | 'illegal' | 'other';
      details: string | null;
      state: 'open' | 'dismissed' | 'upheld';
      /** RFC 3339, UTC */
      created_at: string;
    };
  } };

export type ListDeadLettersInput = {
  query: {
    /** outbox: events; tasks: tasks */
    source: 'outbox' | 'tasks';
    /** Event type or task type */
    type?: string;
    /** Aggregate of the event or subject of the task */
    subject_id?: string;
    /** Part of the last error’s text, as it is written */
    error_contains?: string;
    /** RFC 3339, inclusive */
    failed_after?: string;
    /** RFC 3339, exclusive */
    failed_before?: string;
    /** Dead letters per page */
    limit?: number;
    /** next_cursor of the page before */
    cursor?: string;
  };
};
export type ListDeadLettersAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      id: number;
      /** outbox: events; tasks: tasks */
      source: 'outbox' | 'tasks';
      type: string;
      subject_id: string;
      /** The event, or the one that led to the task */
      event_id: number | null;
      /** tasks only */
      task_id?: string;
      /** tasks only: the wanted version that failed, where it is known */
      version?: number | null;
      /** outbox only */
      aggregate_type?: string;
      /** outbox only */
      max_attempts?: number | null;
      /** outbox only */
      priority?: number | null;
      /** outbox only */
      created_at?: string;
      attempts: number;
      request_id: string | null;
      traceparent: string | null;
      tracestate: string | null;
      /** RFC 3339, UTC */
      first_failed_at: string;
      /** RFC 3339, UTC */
      failed_at: string;
      /** First line of the last error */
      error: string;
    }[];
    pagination: {
      limit: number;
      next_cursor: string | null;
      has_more: boolean;
    };
  } };

export type GroupDeadLettersInput = {
  query: {
    /** outbox: events; tasks: tasks */
    source: 'outbox' | 'tasks';
    /** Event type or task type */
    type?: string;
    /** Aggregate of the event or subject of the task */
    subject_id?: string;
    /** Part of the last error’s text, as it is written */
    error_contains?: string;
    /** RFC 3339, inclusive */
    failed_after?: string;
    /** RFC 3339, exclusive */
    failed_before?: string;
  };
};
export type GroupDeadLettersAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      type: string;
      /** First line, with … for ids and numbers */
      error: string;
      count: number;
      /** RFC 3339, UTC */
      first_failed_at: string;
      /** RFC 3339, UTC */
      last_failed_at: string;
      /** What to give as error_contains to get these */
      contains: string;
    }[];
    meta: {
      total: number;
      /** Of very many, the newest were looked at */
      examined: number;
    };
  } };

export type RedriveDeadLettersInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** outbox: events; tasks: tasks */
    source: 'outbox' | 'tasks';
    /** {} matches every dead letter of the source */
    filter: {
      /** Event type or task type */
      type?: string;
      /** Aggregate of the event or subject of the task */
      subject_id?: string;
      /** Part of the last error’s text, as it is written */
      error_contains?: string;
      /** RFC 3339, inclusive */
      failed_after?: string;
      /** RFC 3339, exclusive */
      failed_before?: string;
    };
    /** true: says what would happen and changes nothing */
    preview?: boolean;
    /** Absent: all at once */
    rate_per_second?: number;
    limit?: number;
    /** Why; kept in the history and the audit log */
    reason?: string;
  };
};
export type RedriveDeadLettersAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      /** outbox: events; tasks: tasks */
      source: 'outbox' | 'tasks';
      preview: boolean;
      matched: number;
      /** In a preview: that would be */
      redriven: number;
      /** That match and are still there: call again for them */
      left: number;
      /** When the last one has its turn; null: at once */
      until: string | null;
      /** preview only */
      groups?: {
        type: string;
        /** First line, with … for ids and numbers */
        error: string;
        count: number;
        /** RFC 3339, UTC */
        first_failed_at: string;
        /** RFC 3339, UTC */
        last_failed_at: string;
        /** What to give as error_contains to get these */
        contains: string;
      }[];
      /** preview only */
      first_ids?: number[];
    };
  } };

export type GetDeadLetterInput = {
  params: {
    /** Id of the dead letter */
    id: string;
  };
  query: {
    /** outbox: events; tasks: tasks */
    source: 'outbox' | 'tasks';
  };
};
export type GetDeadLetterAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      id: number;
      /** outbox: events; tasks: tasks */
      source: 'outbox' | 'tasks';
      type: string;
      subject_id: string;
      /** The event, or the one that led to the task */
      event_id: number | null;
      /** tasks only */
      task_id?: string;
      /** tasks only: the wanted version that failed, where it is known */
      version?: number | null;
      /** outbox only */
      aggregate_type?: string;
      /** outbox only */
      max_attempts?: number | null;
      /** outbox only */
      priority?: number | null;
      /** outbox only */
      created_at?: string;
      attempts: number;
      request_id: string | null;
      traceparent: string | null;
      tracestate: string | null;
      /** RFC 3339, UTC */
      first_failed_at: string;
      /** RFC 3339, UTC */
      failed_at: string;
      /** First line of the last error */
      error: string;
      last_error: string;
      payload?: unknown;
      /** Earlier dead letters of the same event or subject, the newest first */
      history: {
        settlement: 'redriven' | 'discarded';
        reason: string | null;
        settled_by: string;
        /** RFC 3339, UTC */
        settled_at: string;
        attempts: number;
        /** RFC 3339, UTC */
        failed_at: string;
        error: string;
      }[];
    };
  } };

export type DiscardDeadLetterInput = {
  params: {
    /** Id of the dead letter */
    id: string;
  };
  query: {
    /** outbox: events; tasks: tasks */
    source: 'outbox' | 'tasks';
    /** Why; kept in the history and the audit log */
    reason: string;
  };
};
export type DiscardDeadLetterAnswer =
  | { status: 204; headers: Headers; body: null };

export type RedriveDeadLetterInput = {
  params: {
    /** Id of the dead letter */
    id: string;
  };
  query: {
    /** outbox: events; tasks: tasks */
    source: 'outbox' | 'tasks';
    /** Why; kept in the history and the audit log */
    reason?: string;
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
};
export type RedriveDeadLetterAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      id: number;
      /** outbox: events; tasks: tasks */
      source: 'outbox' | 'tasks';
      type: string;
      subject_id: string;
      settlement: 'redriven';
    };
  } };

export type ListFeatureFlagsInput = object;
export type ListFeatureFlagsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      flag_name: string;
      is_enabled: boolean;
      rollout_percent: number;
      version: number;
      description: string;
      updated_by: string;
      updated_at: string;
    }[];
  } };

export type SetFeatureFlagInput = {
  params: {
    /** Name of the flag: enable_ranking_snapshot_read, enable_domain_event_outbox, enable_worker_dedicated_processes, enable_worker_canary_release, enable_object_storage_delivery */
    flagName: 'enable_ranking_snapshot_read' | 'enable_domain_event_outbox' | 'enable_worker_dedicated_processes' | 'enable_worker_canary_release' | 'enable_object_storage_delivery';
  };
  body: {
    /** Off at any percentage when false */
    is_enabled?: boolean | 0 | 1;
    rollout_percent?: number;
    expected_version?: number;
    reason?: string;
  };
};
export type SetFeatureFlagAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      flag_name: string;
      is_enabled: boolean;
      rollout_percent: number;
      version: number;
      description: string;
      updated_by: string;
      updated_at: string;
    };
  } };

export type GetQueuesInput = object;
export type GetQueuesAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      task_type: string;
      lane: string;
      state: string;
      count: number;
      oldest_seconds: number;
    }[];
    due: {
      task_type: string;
      subjects: number;
    }[];
    paused: {
      task_type: string;
      paused_by: string;
      reason: string;
      paused_at: string;
    }[];
  } };

export type PauseTaskTypeInput = {
  params: {
    /** Task type: classification, derivative, curation, rebuild, storage, webhook */
    taskType: 'classification' | 'derivative' | 'curation' | 'rebuild' | 'storage' | 'webhook';
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    reason: string;
  };
};
export type PauseTaskTypeAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      task_type: string;
      is_paused: boolean;
      was_changed: boolean;
    };
  } };

export type ResumeTaskTypeInput = {
  params: {
    /** Task type: classification, derivative, curation, rebuild, storage, webhook */
    taskType: 'classification' | 'derivative' | 'curation' | 'rebuild' | 'storage' | 'webhook';
  };
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    reason: string;
  };
};
export type ResumeTaskTypeAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      task_type: string;
      is_paused: boolean;
      was_changed: boolean;
    };
  } };

export type GetRolloutInput = object;
export type GetRolloutAnswer =
  | { status: 200; headers: Headers; body: {
    data: Record<string, unknown>;
  } };

export type ListRolloutPlansInput = object;
export type ListRolloutPlansAnswer =
  | { status: 200; headers: Headers; body: {
    data: Record<string, unknown>[];
  } };

export type ExplainRolloutRunInput = {
  params: {
    /** Id of the run */
    runId: string;
  };
};
export type ExplainRolloutRunAnswer =
  | { status: 200; headers: Headers; body: {
    data: Record<string, unknown>;
  } };

export type AskRolloutInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    action: 'auto' | 'promote' | 'hold' | 'resume' | 'stop';
    /** auto and promote only, and needed there */
    plan?: string;
    /** promote only: without waiting for the bake and the gates */
    force?: boolean;
    reason: string;
  };
};
export type AskRolloutAnswer =
  | { status: 202; headers: Headers; body: {
    data: {
      rollout_request_id: number;
      state: 'waiting' | 'accepted' | 'refused';
      /** Of the controller: what it did, or why it refused */
      answer: string | null;
      run_id: number | null;
    };
  } };

export type GetRolloutRequestInput = {
  params: {
    /** Id of the request */
    rolloutRequestId: string;
  };
};
export type GetRolloutRequestAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      rollout_request_id: number;
      state: 'waiting' | 'accepted' | 'refused';
      /** Of the controller: what it did, or why it refused */
      answer: string | null;
      run_id: number | null;
    };
  } };

export type RollBackRolloutInput = {
  headers?: {
    /** The same key with the same request is carried out once and answered alike each time. */
    'Idempotency-Key'?: string;
  };
  body: {
    /** Absent: what the runbook switches off, in its order */
    flag?: 'enable_ranking_snapshot_read' | 'enable_domain_event_outbox' | 'enable_worker_dedicated_processes' | 'enable_worker_canary_release' | 'enable_object_storage_delivery';
    /** Flags that stay */
    keep?: ('enable_ranking_snapshot_read' | 'enable_domain_event_outbox' | 'enable_worker_dedicated_processes' | 'enable_worker_canary_release' | 'enable_object_storage_delivery')[];
    reason: string;
  };
};
export type RollBackRolloutAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      /** The run that this ended */
      run_id: number | null;
      lowered: string[];
      kept: {
        flag_name: string;
        reason: string;
      }[];
      event_flow_stable: boolean | null;
      snapshot_fresh: boolean | null;
    };
  } };

export type FreezeRolloutsInput = {
  body: {
    frozen: boolean;
    /** Absent: until it is ended */
    until?: string;
    reason: string;
  };
};
export type FreezeRolloutsAnswer =
  | { status: 200; headers: Headers; body: {
    data: {
      frozen: boolean;
    };
  } };

export type GetOpenApiInput = {
  headers?: {
    /** ETag that the client has; 304 when it is still the one. */
    'If-None-Match'?: string;
  };
};
export type GetOpenApiAnswer =
  | { status: 200; headers: Headers; body: Record<string, unknown> }
  | { status: 304; headers: Headers; body: null };

export type ListTargetsInput = object;
export type ListTargetsAnswer =
  | { status: 200; headers: Headers; body: {
    targets: string[];
    labels: Record<string, string>;
  }[] };

/** One method for each operation. */
export type Operations = {
  /** Five shelves of packs: best ranked, newest, growing, most liked, best rated. */
  listIntents: { input: ListIntentsInput; answer: ListIntentsAnswer };
  /** Publishers of public packs, the best first. */
  listCreators: { input: ListCreatorsInput; answer: ListCreatorsAnswer };
  /** Packs that this viewer may like, by what they opened, liked and downloaded; never sensitive ones. */
  listRecommendations: { input: ListRecommendationsInput; answer: ListRecommendationsAnswer };
  /** What the public packs add up to. */
  getStats: { input: GetStatsInput; answer: GetStatsAnswer };
  /** What the public packs add up to, and what happened in the last seven days. */
  getMarketplaceStats: { input: GetMarketplaceStatsInput; answer: GetMarketplaceStatsAnswer };
  /** The caller's packs, drafts included, the newest change first. */
  listOwnPacks: { input: ListOwnPacksInput; answer: ListOwnPacksAnswer };
  /** The caller's ready stickers that are in no pack, the newest first; everybody's for an administrator. They are removed after the grace period (30 days, unless the operator chose another). */
  listOrphanStickers: { input: ListOrphanStickersInput; answer: ListOrphanStickersAnswer };
  /** Packs in the order of the published ranking; follow next_cursor to the end to see each exactly once. */
  listPacks: { input: ListPacksInput; answer: ListPacksAnswer };
  /** Makes a pack; it is a draft until it is published. */
  createPack: { input: CreatePackInput; answer: CreatePackAnswer };
  /** One pack with its stickers. Its owner also sees what is pending or rejected, and drafts. */
  getPack: { input: GetPackInput; answer: GetPackAnswer };
  /** Takes the pack out of the catalogue. */
  deletePack: { input: DeletePackInput; answer: DeletePackAnswer };
  /** Changes texts, tags or visibility of a pack; what is absent stays. */
  editPack: { input: EditPackInput; answer: EditPackAnswer };
  /** The WebP of a ready sticker, or its preview. */
  getStickerBytes: { input: GetStickerBytesInput; answer: GetStickerBytesAnswer };
  /** Counts one open of this viewer, once per window, and returns the engagement. */
  openPack: { input: OpenPackInput; answer: OpenPackAnswer };
  /** Counts one like of this viewer, once per window, and returns the engagement. */
  likePack: { input: LikePackInput; answer: LikePackAnswer };
  /** Counts one dislike of this viewer, once per window, and returns the engagement. */
  dislikePack: { input: DislikePackInput; answer: DislikePackAnswer };
  /** The pack as .wastickers, which sticker apps for WhatsApp import. */
  downloadWastickers: { input: DownloadWastickersInput; answer: DownloadWastickersAnswer };
  /** The pack as the contents.json folder that WhatsApp's sample app is built with. */
  downloadWhatsappFolder: { input: DownloadWhatsappFolderInput; answer: DownloadWhatsappFolderAnswer };
  /** The still stickers as a static set for Telegram, with their emojis in pack.json. */
  downloadTelegramSet: { input: DownloadTelegramSetInput; answer: DownloadTelegramSetAnswer };
  /** The still stickers as a static set for Signal, with their emojis in pack.json. */
  downloadSignalSet: { input: DownloadSignalSetInput; answer: DownloadSignalSetAnswer };
  /** Makes a draft from a .wastickers file or a zip with contents.json: all of its stickers, or nothing. */
  importPack: { input: ImportPackInput; answer: ImportPackAnswer };
  /** Adds a sticker (WebP, PNG, JPEG, GIF or APNG). It is classified and made ready in the background. */
  addSticker: { input: AddStickerInput; answer: AddStickerAnswer };
  /** Shows the pack as its visibility says. */
  publishPack: { input: PublishPackInput; answer: PublishPackAnswer };
  /** Chooses the cover. cover_url follows when the pack was looked at, and the sticker is ready. */
  choosePackCover: { input: ChoosePackCoverInput; answer: ChoosePackCoverAnswer };
  /** Puts the stickers in order; the list names each of them once. */
  orderPack: { input: OrderPackInput; answer: OrderPackAnswer };
  /** Makes a private draft with the stickers of a pack that the caller can see. */
  clonePack: { input: ClonePackInput; answer: ClonePackAnswer };
  /** Changes what is said about a sticker of a pack; what is absent stays. */
  editSticker: { input: EditStickerInput; answer: EditStickerAnswer };
  /** Takes a sticker out of a pack. A published pack without stickers shows in no list until it has one again. */
  removeSticker: { input: RemoveStickerInput; answer: RemoveStickerAnswer };
  /** Puts a new picture in the place of a sticker; emojis and label stay unless they are given. */
  replaceSticker: { input: ReplaceStickerInput; answer: ReplaceStickerAnswer };
  /** Adds a sticker to the owner's current pack, else to a collector pack of theirs, and says which. */
  collectSticker: { input: CollectStickerInput; answer: CollectStickerAnswer };
  /** How often the pack was opened, rated and downloaded: in total, lately and day by day. For its owner only. */
  getPackAnalytics: { input: GetPackAnalyticsInput; answer: GetPackAnalyticsAnswer };
  /** Has a URL told of what happens to the caller's published packs. The secret is shown in this answer only. */
  createWebhook: { input: CreateWebhookInput; answer: CreateWebhookAnswer };
  /** The caller's webhooks with how their last attempts went, the oldest first. */
  listWebhooks: { input: ListWebhooksInput; answer: ListWebhooksAnswer };
  /** Ends a webhook. What it was still to be told is not sent. */
  deleteWebhook: { input: DeleteWebhookInput; answer: DeleteWebhookAnswer };
  /** Makes an API key. The key is shown in this answer and never again. */
  createApiKey: { input: CreateApiKeyInput; answer: CreateApiKeyAnswer };
  /** Revokes an API key at once. */
  revokeApiKey: { input: RevokeApiKeyInput; answer: RevokeApiKeyAnswer };
  /** Packs and stickers that are held, the longest waiting first. */
  listModerationQueue: { input: ListModerationQueueInput; answer: ListModerationQueueAnswer };
  /** One pack with its owner, its moderation, open reports and what administrators did about it. */
  getPackForAdmin: { input: GetPackForAdminInput; answer: GetPackForAdminAnswer };
  /** Shows what was held or rejected. */
  approvePack: { input: ApprovePackInput; answer: ApprovePackAnswer };
  /** Refuses a held pack; a change by its owner asks again. */
  rejectPack: { input: RejectPackInput; answer: RejectPackAnswer };
  /** Hides it from everybody at once, whatever its owner does, until it is restored. */
  takeDownPack: { input: TakeDownPackInput; answer: TakeDownPackAnswer };
  /** Shows again what was taken down. */
  restorePack: { input: RestorePackInput; answer: RestorePackAnswer };
  /** Shows what was held or rejected. */
  approveSticker: { input: ApproveStickerInput; answer: ApproveStickerAnswer };
  /** Hides it from everybody at once, whatever its owner does, until it is restored. */
  takeDownSticker: { input: TakeDownStickerInput; answer: TakeDownStickerAnswer };
  /** Shows again what was taken down. */
  restoreSticker: { input: RestoreStickerInput; answer: RestoreStickerAnswer };
  /** Bans, the newest first. */
  listBans: { input: ListBansInput; answer: ListBansAnswer };
  /** Bans an owner with all their packs, or a sticker: its bytes are refused, and what looks like it is held. */
  makeBan: { input: MakeBanInput; answer: MakeBanAnswer };
  /** Ends a ban and gives back exactly what it took. Again: without effect. */
  revokeBan: { input: RevokeBanInput; answer: RevokeBanAnswer };
  /** What was done to whatever by whomever, and why; the newest first. */
  listAuditLog: { input: ListAuditLogInput; answer: ListAuditLogAnswer };
  /** Tells the operators that a pack, or a sticker of it, should not be here. */
  reportPack: { input: ReportPackInput; answer: ReportPackAnswer };
  /** Open reports by pack and sticker, what waits longest first. */
  listReports: { input: ListReportsInput; answer: ListReportsAnswer };
  /** Closes one report as unfounded. Again: without effect. */
  dismissReport: { input: DismissReportInput; answer: DismissReportAnswer };
  /** Events or tasks that failed for good, the newest first. */
  listDeadLetters: { input: ListDeadLettersInput; answer: ListDeadLettersAnswer };
  /** The few causes behind many dead letters: by type and first line of the error, the largest first. */
  groupDeadLetters: { input: GroupDeadLettersInput; answer: GroupDeadLettersAnswer };
  /** Runs again what matches, the oldest first; with preview, only says what that would be. */
  redriveDeadLetters: { input: RedriveDeadLettersInput; answer: RedriveDeadLettersAnswer };
  /** One dead letter with its whole error, its payload and what became of earlier ones of its origin. */
  getDeadLetter: { input: GetDeadLetterInput; answer: GetDeadLetterAnswer };
  /** Gives it up, for a reason that is kept. */
  discardDeadLetter: { input: DiscardDeadLetterInput; answer: DiscardDeadLetterAnswer };
  /** Runs it again, its attempts counted from zero. Of two calls at once, the second finds nothing. */
  redriveDeadLetter: { input: RedriveDeadLetterInput; answer: RedriveDeadLetterAnswer };
  /** The feature flags. */
  listFeatureFlags: { input: ListFeatureFlagsInput; answer: ListFeatureFlagsAnswer };
  /** Changes a flag; every process knows it within 2 s. With expected_version only if nobody was faster. */
  setFeatureFlag: { input: SetFeatureFlagInput; answer: SetFeatureFlagAnswer };
  /** Unfinished tasks by type, lane and state; subjects whose work is due; types that are paused. */
  getQueues: { input: GetQueuesInput; answer: GetQueuesAnswer };
  /** Stops claiming tasks of this type within 2 s; what runs goes on, what comes waits. */
  pauseTaskType: { input: PauseTaskTypeInput; answer: PauseTaskTypeAnswer };
  /** Lets a paused type be claimed again. */
  resumeTaskType: { input: ResumeTaskTypeInput; answer: ResumeTaskTypeAnswer };
  /** The active run with its last decision, the freeze, and the last runs. */
  getRollout: { input: GetRolloutInput; answer: GetRolloutAnswer };
  /** The plans with their stages and gates. */
  listRolloutPlans: { input: ListRolloutPlansInput; answer: ListRolloutPlansAnswer };
  /** A run with its decisions, the samples of each, and whether each follows from them. */
  explainRolloutRun: { input: ExplainRolloutRunInput; answer: ExplainRolloutRunAnswer };
  /** Asks the rollout controller, which answers within seconds: look for that. Refused when a minute old. */
  askRollout: { input: AskRolloutInput; answer: AskRolloutAnswer };
  /** What the rollout controller answered. */
  getRolloutRequest: { input: GetRolloutRequestInput; answer: GetRolloutRequestAnswer };
  /** Switches off, here and now, without a controller, and ends the active run. Again: without effect. */
  rollBackRollout: { input: RollBackRolloutInput; answer: RollBackRolloutAnswer };
  /** Lets nothing be raised until the freeze ends; what is bad is still rolled back. */
  freezeRollouts: { input: FreezeRolloutsInput; answer: FreezeRolloutsAnswer };
  /** This document. */
  getOpenApi: { input: GetOpenApiInput; answer: GetOpenApiAnswer };
  /** Live processes in the format of Prometheus http_sd. From the loopback, or with scope metrics. */
  listTargets: { input: ListTargetsInput; answer: ListTargetsAnswer };
};

/** Where each operation is. */
export const routes = {
  listIntents: { method: 'GET', path: '/api/sticker-packs/intents' },
  listCreators: { method: 'GET', path: '/api/sticker-packs/creators' },
  listRecommendations: { method: 'GET', path: '/api/sticker-packs/recommendations' },
  getStats: { method: 'GET', path: '/api/sticker-packs/stats' },
  getMarketplaceStats: { method: 'GET', path: '/api/marketplace/stats' },
  listOwnPacks: { method: 'GET', path: '/api/me/sticker-packs' },
  listOrphanStickers: { method: 'GET', path: '/api/sticker-packs/orphan-stickers' },
  listPacks: { method: 'GET', path: '/api/sticker-packs' },
  createPack: { method: 'POST', path: '/api/sticker-packs' },
  getPack: { method: 'GET', path: '/api/sticker-packs/{packKey}' },
  deletePack: { method: 'DELETE', path: '/api/sticker-packs/{packKey}' },
  editPack: { method: 'PATCH', path: '/api/sticker-packs/{packKey}' },
  getStickerBytes: { method: 'GET', path: '/api/sticker-packs/{packKey}/stickers/{stickerId}.webp' },
  openPack: { method: 'POST', path: '/api/sticker-packs/{packKey}/open' },
  likePack: { method: 'POST', path: '/api/sticker-packs/{packKey}/like' },
  dislikePack: { method: 'POST', path: '/api/sticker-packs/{packKey}/dislike' },
  downloadWastickers: { method: 'GET', path: '/api/sticker-packs/{packKey}/download.wastickers' },
  downloadWhatsappFolder: { method: 'GET', path: '/api/sticker-packs/{packKey}/download.whatsapp.zip' },
  downloadTelegramSet: { method: 'GET', path: '/api/sticker-packs/{packKey}/download.telegram.zip' },
  downloadSignalSet: { method: 'GET', path: '/api/sticker-packs/{packKey}/download.signal.zip' },
  importPack: { method: 'POST', path: '/api/sticker-packs/import' },
  addSticker: { method: 'POST', path: '/api/sticker-packs/{packKey}/stickers' },
  publishPack: { method: 'POST', path: '/api/sticker-packs/{packKey}/publish' },
  choosePackCover: { method: 'PUT', path: '/api/sticker-packs/{packKey}/cover' },
  orderPack: { method: 'PUT', path: '/api/sticker-packs/{packKey}/order' },
  clonePack: { method: 'POST', path: '/api/sticker-packs/{packKey}/clone' },
  editSticker: { method: 'PATCH', path: '/api/sticker-packs/{packKey}/stickers/{stickerId}' },
  removeSticker: { method: 'DELETE', path: '/api/sticker-packs/{packKey}/stickers/{stickerId}' },
  replaceSticker: { method: 'POST', path: '/api/sticker-packs/{packKey}/stickers/{stickerId}/replace' },
  collectSticker: { method: 'POST', path: '/api/stickers' },
  getPackAnalytics: { method: 'GET', path: '/api/sticker-packs/{packKey}/analytics' },
  createWebhook: { method: 'POST', path: '/api/webhooks' },
  listWebhooks: { method: 'GET', path: '/api/webhooks' },
  deleteWebhook: { method: 'DELETE', path: '/api/webhooks/{webhookId}' },
  createApiKey: { method: 'POST', path: '/api/admin/api-keys' },
  revokeApiKey: { method: 'DELETE', path: '/api/admin/api-keys/{keyId}' },
  listModerationQueue: { method: 'GET', path: '/api/admin/moderation/queue' },
  getPackForAdmin: { method: 'GET', path: '/api/admin/packs/{packKey}' },
  approvePack: { method: 'POST', path: '/api/admin/packs/{packKey}/approve' },
  rejectPack: { method: 'POST', path: '/api/admin/packs/{packKey}/reject' },
  takeDownPack: { method: 'POST', path: '/api/admin/packs/{packKey}/take-down' },
  restorePack: { method: 'POST', path: '/api/admin/packs/{packKey}/restore' },
  approveSticker: { method: 'POST', path: '/api/admin/stickers/{stickerId}/approve' },
  takeDownSticker: { method: 'POST', path: '/api/admin/stickers/{stickerId}/take-down' },
  restoreSticker: { method: 'POST', path: '/api/admin/stickers/{stickerId}/restore' },
  listBans: { method: 'GET', path: '/api/admin/bans' },
  makeBan: { method: 'POST', path: '/api/admin/bans' },
  revokeBan: { method: 'POST', path: '/api/admin/bans/{banId}/revoke' },
  listAuditLog: { method: 'GET', path: '/api/admin/audit-log' },
  reportPack: { method: 'POST', path: '/api/sticker-packs/{packKey}/report' },
  listReports: { method: 'GET', path: '/api/admin/reports' },
  dismissReport: { method: 'POST', path: '/api/admin/reports/{reportId}/dismiss' },
  listDeadLetters: { method: 'GET', path: '/api/admin/dlq' },
  groupDeadLetters: { method: 'GET', path: '/api/admin/dlq/groups' },
  redriveDeadLetters: { method: 'POST', path: '/api/admin/dlq/redrive' },
  getDeadLetter: { method: 'GET', path: '/api/admin/dlq/{id}' },
  discardDeadLetter: { method: 'DELETE', path: '/api/admin/dlq/{id}' },
  redriveDeadLetter: { method: 'POST', path: '/api/admin/dlq/{id}/redrive' },
  listFeatureFlags: { method: 'GET', path: '/api/admin/feature-flags' },
  setFeatureFlag: { method: 'PUT', path: '/api/admin/feature-flags/{flagName}' },
  getQueues: { method: 'GET', path: '/api/admin/queues' },
  pauseTaskType: { method: 'POST', path: '/api/admin/queues/{taskType}/pause' },
  resumeTaskType: { method: 'POST', path: '/api/admin/queues/{taskType}/resume' },
  getRollout: { method: 'GET', path: '/api/admin/rollout' },
  listRolloutPlans: { method: 'GET', path: '/api/admin/rollout/plans' },
  explainRolloutRun: { method: 'GET', path: '/api/admin/rollout/runs/{runId}' },
  askRollout: { method: 'POST', path: '/api/admin/rollout/requests' },
  getRolloutRequest: { method: 'GET', path: '/api/admin/rollout/requests/{rolloutRequestId}' },
  rollBackRollout: { method: 'POST', path: '/api/admin/rollout/rollback' },
  freezeRollouts: { method: 'PUT', path: '/api/admin/rollout/freeze' },
  getOpenApi: { method: 'GET', path: '/openapi.json' },
  listTargets: { method: 'GET', path: '/api/ops/targets' },
} as const satisfies Record<keyof Operations, { method: string; path: string }>;
