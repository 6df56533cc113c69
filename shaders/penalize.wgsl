// Changes the logits of outputs whose lane has a bias or penalties (engine/sample says how and in which order), or puts the raw
// ones back. A lane's history lists the tokens that count; the one that the lane sampled last joins them here first. Where a
// token comes first in the history stands for it: how often the output has it, and how it is penalised.
//! include: step fold number
//! const WORKGROUP: u32   invocations of a workgroup
//! const STRIDE: u32      words from one output's logits to the next
//! const VOCABULARY: u32  tokens
//! const CONTEXT: u32     the most tokens of a history
//! const SEQUENCES: u32   the most breakers of several tokens
//! const RESTORE: bool    put back what was there

@group(0) @binding(1) var<storage, read_write> logits: array<f32>;         // [output][STRIDE]
@group(0) @binding(2) var<storage, read> lanes: array<u32>;                // the last token of each lane
@group(0) @binding(3) var<storage, read> penalties: array<u32>;            // [lane][PENALTY_WORDS], kernel.Penalties
@group(0) @binding(4) var<storage, read_write> history: array<atomic<u32>>; // of all lanes that have one

const PENALTY_WORDS: u32 = 52u;

// A lane's words: what it has, then places in history.
const FLAGS: u32 = 0u;
const BIASES: u32 = 1u;         // number
const ORIGIN: u32 = 2u;         // tokens before the first that the lane sampled
const LOADED: u32 = 3u;         // tokens that the host wrote
const REPETITION: u32 = 4u;     // f32, and 1 over it
const FREQUENCY: u32 = 6u;      // f32
const PRESENCE: u32 = 7u;       // f32
const ALLOWED: u32 = 8u;        // DRY's allowed length
const RANGE: u32 = 9u;          // and how many tokens it looks at
const MOST: u32 = 10u;          // its largest exponent
const BREAKERS: u32 = 11u;      // of several tokens
const AT_BIASES: u32 = 12u;     // (token, f32 of what is added)
const AT_BIASED: u32 = 13u;     // raw logits of these
const AT_TOKENS: u32 = 14u;
const AT_COUNTS: u32 = 15u;     // of a token's first place: PLACE, and how often the output has it; of others 0
const AT_RAW: u32 = 16u;        // raw logits, by first places
const AT_FIRST: u32 = 17u;      // first places
const AT_RUNS: u32 = 18u;       // by distance: how many tokens up to the last equal those so far before them
const AT_LONGEST: u32 = 19u;    // of a token's first place: 1 + the longest run that it would make longer
const AT_BREAK: u32 = 20u;      // 1 + where the last breaker begins, or 0, and where it ends
const AT_ALONE: u32 = 21u;      // a bit a token of the vocabulary: it is a breaker
const AT_SEQUENCES: u32 = 22u;  // (tokens, place of the first), of each breaker of several tokens
const MULTIPLIER: u32 = 24u;    // f32: DRY's, and its base to the powers of 1, 2, 4 … 2^23

const HAS_HISTORY: u32 = 1u;
const HAS_DRY: u32 = 2u;
const KEEPS: u32 = 4u; // raw logits are wanted afterwards
const PLACE: u32 = 0x80000000u;

const TURNS: u32 = CONTEXT / WORKGROUP + 1u;
const BIAS_TURNS: u32 = VOCABULARY / WORKGROUP + 1u;
const SEQUENCE_TURNS: u32 = SEQUENCES / WORKGROUP + 1u;
const LONGEST_BREAKER: u32 = 21u;
const MOST_LOGIT: f32 = 1.0e34; // sample.MostLogit
const MOST_DRY: f32 = 1.0e30;   // sample.MostDRY

var<workgroup> place: atomic<u32>;
var<workgroup> shortest: atomic<u32>;

fn word(i: u32) -> u32 { return atomicLoad(&history[i]); }

fn is_breaker(lane_words: u32, token: u32) -> bool {
    return ((word(penalties[lane_words + AT_ALONE] + token / 32u) >> (token % 32u)) & 1u) != 0u;
}

// ends_with says whether the tokens up to the last-th are a breaker.
fn ends_with(tokens: u32, last: u32, breaker: u32, length: u32) -> bool {
    if length > last + 1u {
        return false;
    }
    var same = true;
    //! turns: LONGEST_BREAKER
    for (var i = 0u; i < length && same; i++) {
        same = word(breaker + i) == word(tokens + last + 1u - length + i);
    }
    return same;
}

// join adds the token that the lane sampled last to its history. All of the workgroup must call it.
fn join(at: u32, flags: u32, last: u32, token: u32, lane: u32) {
    let tokens = penalties[at + AT_TOKENS];
    let runs = penalties[at + AT_RUNS];
    if lane == 0u {
        atomicStore(&place, last);
        atomicStore(&shortest, LONGEST_BREAKER + 1u);
    }
    workgroupBarrier();
    //! turns: TURNS
    for (var i = lane; i < last; i += WORKGROUP) {
        let same = word(tokens + i) == token;
        if same {
            atomicMin(&place, i);
        }
        if (flags & HAS_DRY) != 0u {
            let distance = last - i;
            var run = 0u;
            if same {
                run = 1u;
                if i > 0u {
                    run += word(runs + distance);
                }
            }
            atomicStore(&history[runs + distance], run);
        }
    }
    if lane == 0u {
        atomicStore(&history[tokens + last], token);
    }
    storageBarrier();
    workgroupBarrier();
    let counts = penalties[at + AT_COUNTS];
    if lane == 0u {
        let first = atomicLoad(&place);
        if first == last {
            atomicStore(&history[counts + last], PLACE | 1u);
        } else {
            atomicStore(&history[counts + last], 0u);
            atomicAdd(&history[counts + first], 1u);
        }
        if (flags & HAS_DRY) != 0u {
            atomicStore(&history[penalties[at + AT_FIRST] + last], first);
            atomicStore(&history[penalties[at + AT_LONGEST] + last], 0u);
        }
    }
    if (flags & HAS_DRY) != 0u {
        find_break(at, tokens, last, token, lane);
    }
    storageBarrier();
}

// find_break notes the breaker that the last-th token ends, if any: of several the one that begins last. All of the workgroup
// must call it.
fn find_break(at: u32, tokens: u32, last: u32, token: u32, lane: u32) {
    let sequences = penalties[at + AT_SEQUENCES];
    //! turns: SEQUENCE_TURNS
    for (var i = lane; i < penalties[at + BREAKERS]; i += WORKGROUP) {
        let length = word(sequences + 2u * i);
        if ends_with(tokens, last, word(sequences + 2u * i + 1u), length) {
            atomicMin(&shortest, length);
        }
    }
    if lane == 0u && is_breaker(at, token) {
        atomicMin(&shortest, 1u);
    }
    workgroupBarrier();
    if lane == 0u {
        let length = atomicLoad(&shortest);
        let known = penalties[at + AT_BREAK];
        if length <= LONGEST_BREAKER && last + 2u - length >= word(known) {
            atomicStore(&history[known], last + 2u - length);
            atomicStore(&history[known + 1u], last + 1u);
        }
    }
}

// find_runs notes for each token how long a run it would make longer.
fn find_runs(at: u32, length: u32, lane: u32) {
    let tokens = penalties[at + AT_TOKENS];
    let seen = min(length, penalties[at + RANGE]);
    let allowed = penalties[at + ALLOWED];
    let begin = word(penalties[at + AT_BREAK]);
    var limit = seen;
    if begin > length - seen { // 1 + its place
        limit = length - word(penalties[at + AT_BREAK] + 1u);
    }
    if seen <= allowed || limit < allowed {
        return;
    }
    //! turns: TURNS
    for (var distance = lane + 1u; distance < seen; distance += WORKGROUP) {
        let run = min(min(word(penalties[at + AT_RUNS] + distance), seen - distance), limit);
        if run >= allowed {
            let next = word(penalties[at + AT_FIRST] + length - distance);
            atomicMax(&history[penalties[at + AT_LONGEST] + next], run + 1u);
        }
    }
}

// raise multiplies by the powers that eight bits of an exponent name.
fn raise(x: f32, bits: u32, powers: u32) -> f32 {
    var product = x;
    for (var i = 0u; i < 8u; i++) {
        product *= select(1.0, bitcast<f32>(penalties[powers + i]), ((bits >> i) & 1u) != 0u);
    }
    return product;
}

// dry is what a run that would become longer costs.
fn dry(at: u32, run: u32) -> f32 {
    let exponent = min(run - penalties[at + ALLOWED], penalties[at + MOST]);
    let powers = at + MULTIPLIER + 1u;
    var cost = raise(bitcast<f32>(penalties[at + MULTIPLIER]), exponent, powers);
    cost = raise(cost, exponent >> 8u, powers + 8u);
    return min(raise(cost, exponent >> 16u, powers + 16u), MOST_DRY);
}

fn penalize(at: u32, flags: u32, base: u32, i: u32) {
    let count = word(penalties[at + AT_COUNTS] + i);
    if (count & PLACE) == 0u {
        return;
    }
    let token = word(penalties[at + AT_TOKENS] + i);
    var run = 0u;
    if (flags & HAS_DRY) != 0u {
        run = word(penalties[at + AT_LONGEST] + i);
        if run != 0u {
            atomicStore(&history[penalties[at + AT_LONGEST] + i], 0u);
        }
    }
    var x = logits[base + token];
    if no_number(x) {
        return;
    }
    let repetition = bitcast<f32>(penalties[at + REPETITION]);
    if repetition != 1.0 {
        x = clamp(x, -MOST_LOGIT, MOST_LOGIT);
        x *= select(repetition, bitcast<f32>(penalties[at + REPETITION + 1u]), x > 0.0);
    }
    let times = count & ~PLACE;
    if times > 0u {
        x -= bitcast<f32>(penalties[at + FREQUENCY]) * f32(times) + bitcast<f32>(penalties[at + PRESENCE]);
    }
    if run != 0u && !is_breaker(at, token) {
        x -= dry(at, run - 1u);
    }
    logits[base + token] = x;
}

@compute @workgroup_size(WORKGROUP, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group.z * FOLD + group.y;
    if o >= step[STEP_OUTPUTS] {
        return;
    }
    let output = output_at(o);
    let owner_lane = step[output + 1u];
    let at = owner_lane * PENALTY_WORDS;
    let flags = penalties[at + FLAGS];
    let biases = penalties[at + BIASES];
    if (step[output + 3u] & OUTPUT_SAMPLE) == 0u || (flags == 0u && biases == 0u) {
        return;
    }
    let base = o * STRIDE;
    let length = min(penalties[at + ORIGIN] + step[output + 2u], CONTEXT);
    let tokens = penalties[at + AT_TOKENS];
    let at_biases = penalties[at + AT_BIASES];
    let has_history = (flags & HAS_HISTORY) != 0u;
    if RESTORE {
        if (flags & KEEPS) == 0u {
            return;
        }
        //! turns: BIAS_TURNS
        for (var i = lane; i < biases; i += WORKGROUP) {
            logits[base + word(at_biases + 2u * i)] = bitcast<f32>(word(penalties[at + AT_BIASED] + i));
        }
        if has_history {
            //! turns: TURNS
            for (var i = lane; i < length; i += WORKGROUP) {
                if (word(penalties[at + AT_COUNTS] + i) & PLACE) != 0u {
                    logits[base + word(tokens + i)] = bitcast<f32>(word(penalties[at + AT_RAW] + i));
                }
            }
        }
        return;
    }
    if has_history && length > penalties[at + LOADED] {
        join(at, flags, length - 1u, lanes[owner_lane], lane);
    }
    if (flags & KEEPS) != 0u {
        //! turns: BIAS_TURNS
        for (var i = lane; i < biases; i += WORKGROUP) {
            atomicStore(&history[penalties[at + AT_BIASED] + i], bitcast<u32>(logits[base + word(at_biases + 2u * i)]));
        }
        if has_history {
            //! turns: TURNS
            for (var i = lane; i < length; i += WORKGROUP) {
                if (word(penalties[at + AT_COUNTS] + i) & PLACE) != 0u {
                    atomicStore(&history[penalties[at + AT_RAW] + i], bitcast<u32>(logits[base + word(tokens + i)]));
                }
            }
        }
    }
    storageBarrier();
    //! turns: BIAS_TURNS
    for (var i = lane; i < biases; i += WORKGROUP) {
        let token = base + word(at_biases + 2u * i);
        let x = logits[token];
        if !no_number(x) {
            logits[token] = x + bitcast<f32>(word(at_biases + 2u * i + 1u));
        }
    }
    if (flags & HAS_DRY) != 0u {
        find_runs(at, length, lane);
    }
    storageBarrier();
    if has_history {
        //! turns: TURNS
        for (var i = lane; i < length; i += WORKGROUP) { penalize(at, flags, base, i); }
    }
}
