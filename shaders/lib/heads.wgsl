// Rows of q, k and v as they come out of a product, and what becomes of them, as rope_store has it: q and k turn by their tokens' positions
// (RoFormer, arXiv 2104.09864), q goes to y, k and v go into the KV cache. Rows come in fours, so that one invocation has both
// elements of a pair and all of a word: of a head that turns two neighbours and their partners, of others the next four.
//! include: step number
//! slot kv_store: kv_store_f32 kv_store_f16 kv_store_bf16
//! slot bias: bias_none bias_add
//! const N: u32              rows of W, a multiple of HEAD_DIM
//! const X_STRIDE: u32       floats from one row of x to the next
//! const Y_STRIDE: u32       floats from one row of y to the next
//! const Y_OFFSET: u32       where the first row of W lies among those of q, k and v, a multiple of HEAD_DIM
//! const HEADS: u32          query heads
//! const KV_HEADS: u32       KV heads
//! const HEAD_DIM: u32       elements of a head, a multiple of 4
//! const GROUP: u32          KV group
//! const BLOCK_SIZE: u32     slots of a KV block
//! const BLOCK_PAD: u32      words between two blocks that other layers' larger ones need
//! const ROTARY_DIM: u32     elements that turn, from the first on, a multiple of 4
//! const ADJACENT: bool      pairs are (2i, 2i + 1); without, (i, i + ROTARY_DIM / 2)
//! const TABLE_ROW: u32      floats of a position in the table
//! const GROWING: bool       a position's row of the table ends with what q is multiplied by
//! const TABLE_BINDING: u32  binding of the table; those of the caches follow
//! const K_BINDING: u32      binding of the K cache
//! const V_BINDING: u32      binding of the V cache
@group(0) @binding(3) var<storage, read_write> x: array<vec4<f32>>; // only a token that is no number is written to
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(TABLE_BINDING) var<storage, read> rotations: array<f32>; // [position][ROTARY_DIM / 2](cos, sin)
@group(0) @binding(K_BINDING) var<storage, read_write> k_cache: array<u32>;
@group(0) @binding(V_BINDING) var<storage, read_write> v_cache: array<u32>;

const TURNED: u32 = (HEADS + KV_HEADS) * HEAD_DIM; // elements of q and k
const QUERIES: u32 = HEADS * HEAD_DIM;

// four_of gives the first of the n-th four rows of W of the group that begins at first.
fn four_of(first: u32, n: u32) -> u32 { return min(first + 4u * n, N - 4u); }

// turns tells whether four elements of q, k and v turn; at is the first's place.
fn turns(at: u32) -> bool { return at < TURNED && at % HEAD_DIM < ROTARY_DIM; }

// weight_row gives the t-th row of W of the group that begins at first.
fn weight_row(first: u32, t: u32) -> u32 {
    let four = four_of(first, t / 4u);
    let at = Y_OFFSET + four;
    if ADJACENT || !turns(at) {
        return four + t % 4u;
    }
    return four - at % HEAD_DIM / 2u + t % 2u + t % 4u / 2u * (ROTARY_DIM / 2u);
}

// Ahead is what an invocation reads while products are still on their way: where it puts a token's k and v, and the token's angles.
struct Ahead {
    slot: i32,
    grown: f32,
    angles: vec4<f32>, // of two pairs
}

// ahead_of reads it for token t and the four rows of W from four on.
fn ahead_of(t: u32, four: u32) -> Ahead {
    var ahead = Ahead(-1, 1.0, vec4<f32>());
    let at = Y_OFFSET + four;
    if at >= QUERIES {
        ahead.slot = step_slot(GROUP, t);
    }
    if ROTARY_DIM > 0u || GROWING {
        let angles = step_position(t) * TABLE_ROW;
        if turns(at) {
            let pair = angles + at % HEAD_DIM;
            ahead.angles = vec4<f32>(rotations[pair], rotations[pair + 1u], rotations[pair + 2u], rotations[pair + 3u]);
        }
        if GROWING {
            ahead.grown = rotations[angles + ROTARY_DIM];
        }
    }
    return ahead;
}

// finish_four stores four elements of token t's q, k or v.
fn finish_four(products: vec4<f32>, t: u32, at: u32, ahead: Ahead) {
    let head = at / HEAD_DIM * HEAD_DIM;
    var low = at % HEAD_DIM; // two of them begin here
    var high = low + 2u;     // and two here
    if turns(at) && !ADJACENT {
        low /= 2u;
        high = low + ROTARY_DIM / 2u;
    }
    var r = products + vec4<f32>(bias_at(head + low), bias_at(head + low + 1u), bias_at(head + high), bias_at(head + high + 1u));
    if turns(at) {
        let c = ahead.angles.xz;
        let s = ahead.angles.yw;
        if ADJACENT {
            let a = r.xz * c - r.yw * s;
            let b = r.xz * s + r.yw * c;
            r = vec4<f32>(a.x, b.x, a.y, b.y);
        } else {
            r = vec4<f32>(r.xy * c - r.zw * s, r.xy * s + r.zw * c);
        }
    }
    if at < QUERIES {
        r *= ahead.grown;
        let to = t * Y_STRIDE + head;
        y[to + low] = r.x;
        y[to + low + 1u] = r.y;
        y[to + high] = r.z;
        y[to + high + 1u] = r.w;
    } else if ahead.slot < 0 {
        return;
    } else {
        store_four(r, (head - QUERIES) / HEAD_DIM, u32(ahead.slot), low, high);
    }
    if no_number(r.x) || no_number(r.y) || no_number(r.z) || no_number(r.w) {
        // Attention would lose it in its maxima: the token's row of x becomes NaN instead, and with it its logits.
        x[t * (X_STRIDE / 4u)].x = bitcast<f32>(0x7FC00000u | min(t, 1u));
    }
}

// store_four stores elements of the n-th head of k and v: two from low and two from high on.
fn store_four(r: vec4<f32>, n: u32, slot: u32, low: u32, high: u32) {
    let row = ((slot / BLOCK_SIZE * KV_HEADS + n % KV_HEADS) * BLOCK_SIZE + slot % BLOCK_SIZE) * KV_ROW + slot / BLOCK_SIZE * BLOCK_PAD;
    if KV_ELEMENTS == 2u {
        store_word(n, row + low / 2u, kv_word(r.x, r.y));
        store_word(n, row + high / 2u, kv_word(r.z, r.w));
    } else {
        store_word(n, row + low, kv_word(r.x, 0.0));
        store_word(n, row + low + 1u, kv_word(r.y, 0.0));
        store_word(n, row + high, kv_word(r.z, 0.0));
        store_word(n, row + high + 1u, kv_word(r.w, 0.0));
    }
}

fn store_word(n: u32, at: u32, word: u32) {
    if n < KV_HEADS {
        k_cache[at] = word;
    } else {
        v_cache[at] = word;
    }
}
