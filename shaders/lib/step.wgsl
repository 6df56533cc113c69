// The step buffer: what one step computes, written by the host in one piece. engine/kernel/stepbuffer.go is its other
// half. Words 0.. are counts and offsets (in words from the start); sections follow.
@group(0) @binding(0) var<storage, read> step: array<u32>;

const STEP_TOKENS: u32 = 0u;        // tokens in this step
const STEP_ROWS: u32 = 1u;          // sequences in this step
const STEP_OUTPUTS: u32 = 2u;       // tokens whose logits are wanted
const STEP_AT_TOKENS: u32 = 3u;     // token ids; 0xFFFFFFFF means the lane's
const STEP_AT_POSITIONS: u32 = 4u;
const STEP_AT_TOKEN_ROWS: u32 = 5u; // the row each token belongs to
const STEP_AT_ROWS: u32 = 6u;
const STEP_AT_OUTPUTS: u32 = 7u;
// Words 8 to 13 are the first list of attention's work items, those after the pools further lists: the number of items of
// rows that see all their keys at once, and their offset; of items of rows with few tokens, whose keys are split; of merges
// of the latter.
const STEP_COPIES: u32 = 14u;       // block copies
const STEP_AT_COPIES: u32 = 15u;
const STEP_AT_SLOTS: u32 = 16u;     // for each KV group: offset of its slot mapping
const STEP_AT_SLOPES: u32 = 24u;    // ALiBi's slopes, one a query head
const STEP_AT_MASKS: u32 = 25u;     // for each row: offset of its mask, 0 for none
const STEP_SEED: u32 = 26u;         // dropout's seed, two words
const STEP_POOLS: u32 = 28u;        // rows of pooled tokens
const STEP_AT_POOLS: u32 = 29u;
const STEP_AT_LORA: u32 = 48u;      // LoRA adapters, for each token a list (see lora.wgsl)
const STEP_LORA_FOURS: u32 = 49u;   // its length; 0: no row has any
// Words 50 and 51 are the runs of block tables that tables.wgsl takes to where they stay.
const STEP_AT_KEEPS: u32 = 52u;     // for each token the slot that keeps its row's state behind it, 0 for none; 0: no token has any
const STEP_AT_NEXT: u32 = 53u;      // in steps that guess: for each row the token behind its last
const ROW_WORDS: u32 = 14u;         // first token, tokens, first position, lane, two state slots, then a table offset a KV group (8)
const OUTPUT_WORDS: u32 = 4u;       // token index, lane, sample counter, flags
// row, first flat query row (token·heads per KV head), first key, end of keys, partial result; and of the row, so that nobody waits for it,
// first token, tokens, first position, table offset of KV group 0
const ITEM_WORDS: u32 = 9u;
// The first list's items of decode, which STEP_DECODE_ITEMS counts, lie where nobody has to look.
const STEP_DECODE_ITEMS: u32 = 10u;
const DECODE_ITEMS_AT: u32 = 62u;
// Behind the header each list has the number of its items of shared keys, and where they lie. Their rows follow the step's, and are
// not counted.
const MERGE_WORDS: u32 = 4u;        // row, first partial result, partial results, first flat query row
const POOL_WORDS: u32 = 2u;         // first token, tokens

const OUTPUT_SAMPLE: u32 = 1u;      // among an output's flags
const OUTPUT_MASK: u32 = 8u;        // from this bit on: 0, or 1 + the number of the mask of tokens that may be drawn
const LANE_TOKEN: u32 = 0xFFFFFFFFu;

fn step_token(t: u32) -> u32 { return step[step[STEP_AT_TOKENS] + t]; }
fn step_position(t: u32) -> u32 { return step[step[STEP_AT_POSITIONS] + t]; }
fn step_token_row(t: u32) -> u32 { return step[step[STEP_AT_TOKEN_ROWS] + t]; }
fn step_slot(group: u32, t: u32) -> i32 { return bitcast<i32>(step[step[STEP_AT_SLOTS + group] + t]); }
fn row_at(r: u32) -> u32 { return step[STEP_AT_ROWS] + r * ROW_WORDS; }
fn row_first(r: u32) -> u32 { return step[row_at(r)]; }
fn row_count(r: u32) -> u32 { return step[row_at(r) + 1u]; }
fn row_start(r: u32) -> u32 { return step[row_at(r) + 2u]; }
fn row_lane(r: u32) -> u32 { return step[row_at(r) + 3u]; }
fn row_state_from(r: u32) -> u32 { return step[row_at(r) + 4u]; } // slot 0 is all zeros
fn row_state_to(r: u32) -> u32 { return step[row_at(r) + 5u]; }   // 0: nothing is to be written
fn row_table(r: u32, group: u32) -> u32 { return step[row_at(r) + 6u + group]; }
fn row_block(r: u32, group: u32, index: u32) -> u32 { return step[row_table(r, group) + index]; }
fn output_at(o: u32) -> u32 { return step[STEP_AT_OUTPUTS] + o * OUTPUT_WORDS; }
