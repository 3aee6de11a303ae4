/** Caps that rooms share, each with its reason; those of one format or one room stand there. Exceeding one is `limit-exceeded` unless said otherwise. */

/** safetensors header: the largest seen in encoders is 23 KB (200 tensors); parsing 1 MiB takes about 20 ms. */
export const MAX_HEADER_BYTES = 1 << 20;
/** Tensors in one file: BERT-large has 393. */
export const MAX_TENSORS = 4096;
/** Dimensions of one tensor: encoders use at most 3. */
export const MAX_TENSOR_RANK = 4;
/** One dimension: the largest vocabulary in use is 256 Ki pieces. */
export const MAX_DIMENSION = 1 << 24;
/** Tensor names: the longest PEFT name seen is 90 bytes. */
export const MAX_NAME_BYTES = 256;
/** `__metadata__` of a safetensors file. */
export const MAX_METADATA_BYTES = 64 << 10;
/** JSON nesting in configuration files; a deep array would overflow recursive readers. */
export const MAX_JSON_DEPTH = 32;
/** config.json, adapter_config.json, rootstock.json. */
export const MAX_CONFIG_BYTES = 1 << 20;
/** tokenizer.json: XLM-R's has 17 MB. */
export const MAX_TOKENIZER_BYTES = 64 << 20;
/** One hashed piece of a converted encoder's weights, gathered in memory: ours have 4 MiB. */
export const MAX_PIECE_BYTES = 1 << 30;

/** Depth of an int8 product: 255 * 64 * 65,536 stays below 2^31, so int32 sums are exact. */
export const MAX_DEPTH = 65_536;
/** Transformer layers: XLM-R-XL has 36. */
export const MAX_LAYERS = 128;
/** Rank of a low-rank adapter. */
export const MAX_RANK = 4096;
/** Labels of one head. */
export const MAX_LABELS = 65_536;
/** config.json beside an adapter: two tables of as many labels of 100 characters. */
export const MAX_LABEL_FILE_BYTES = 16 << 20;

/** UTF-16 units of a piece of a WordPiece or Unigram vocabulary: the longest of XLM-R's have 16, of BERT's 18. Each unit of a text is looked up at most this often. */
export const MAX_PIECE_UNITS = 64;
/** UTF-16 units of an added token or a normaliser's replacement. */
export const MAX_ADDED_TOKEN_UNITS = 256;
/** Added tokens of one tokenizer: the most seen have about 1,000. */
export const MAX_ADDED_TOKENS = 4096;
/** Steps of a normaliser: XLM-R's has 2, ALBERT's 6. */
export const MAX_NORMALIZER_STEPS = 64;
/** Special tokens around a text: RoBERTa's pairs have 4. */
export const MAX_TEMPLATE_TOKENS = 64;

/** UTF-16 units of one text (`text-too-long`): a megabyte of text is a document, not a request. */
export const MAX_TEXT_UNITS = 1_000_000;
/** UTF-16 units of a text once it is normalised (`text-too-long`): NFKC makes up to 18 units of one, and replacements any number. */
export const MAX_NORMALIZED_UNITS = 4 * MAX_TEXT_UNITS;
/** Workers of one pool: each holds the whole encoder. */
export const MAX_WORKERS = 64;

/** Rows of one training or dev set: they are held as ids, about half a kilobyte a short row. */
export const MAX_TRAINING_ROWS = 2_000_000;
/** Words of one row of pre-finetuning: what lies beyond the encoder's positions is left out anyway. */
export const MAX_ROW_WORDS = 16_384;
