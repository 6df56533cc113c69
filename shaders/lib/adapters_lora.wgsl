// What LoRA adapters add to a product: b·u of b, [RANKS][N_ALL] in fours of ranks, and what lora_down leaves behind it for each row of x:
// which fours are the row's, as floats from 1 on, 0 where there is none, and u of these, [slot][RANKS]. A slot is a matrix of those that
// the product is made of. Where no adapter changes the product there are only zeros.
//! include: step
//! const RANKS: u32             fours of all adapters' ranks
//! const N_ALL: u32             rows of all matrices
//! const N_AT: u32              where those of W begin among them
//! const FIRST: u32             the first row of the piece in W
//! const SLOTS: u32             matrices
//! const SECOND: u32            where the second slot's rows begin
//! const THIRD: u32             the third's
//! const FOURTH: u32            the fourth's
//! const IN_TURN: bool          rows are of two slots in turn
//! const EVEN_SLOTS: bool       slots begin where any tile may
//! const ADAPTERS_BINDING: u32  binding of b and u
const ADAPTED: bool = true;
const FOURS: u32 = RANKS;
const LIST: u32 = (RANKS + 3u) / 4u;
const LISTED: u32 = 4u; // fours that are read at once
const U_STRIDE: u32 = LIST + SLOTS * RANKS;
@group(0) @binding(ADAPTERS_BINDING) var<storage, read> adapters: array<vec4<f32>>;

// adapter_slot is the slot of the piece's row first + t; EVEN ones begin where tiles do.
fn adapter_slot(first: u32, t: u32) -> u32 {
    if IN_TURN {
        return t % 2u;
    }
    var row = N_AT + FIRST + first;
    if !EVEN_SLOTS {
        row += t;
    }
    return u32(row >= SECOND) + u32(row >= THIRD) + u32(row >= FOURTH);
}

// adapter_b gives four ranks for the piece's row n.
fn adapter_b(n: u32, four: u32) -> vec4<f32> { return adapters[four * N_ALL + N_AT + FIRST + n]; }

// adapter_u gives the i-th four for row m of x and a slot.
fn adapter_u(m: u32, slot: u32, i: u32) -> vec4<f32> { return adapters[N_ALL * RANKS + m * U_STRIDE + LIST + slot * RANKS + i]; }

// adapter_fours is how many fours of ranks rows have at most.
fn adapter_fours() -> u32 { return min(step[STEP_LORA_FOURS], RANKS); }

// adapter_four gives the number, from 1 on, of the i-th four of row m; 0 where there is none. Not all compilers bound what a negative
// float becomes, and self-tests put some here.
fn adapter_four(m: u32, i: u32) -> u32 { return min(u32(max(adapters[N_ALL * RANKS + m * U_STRIDE + i / 4u][i % 4u], 0.0)), RANKS); }

// adapter_list gives the numbers of four fours of row m, from the i-th on.
fn adapter_list(m: u32, i: u32, fours: u32) -> vec4<u32> {
    let list = vec4<u32>(max(adapters[N_ALL * RANKS + m * U_STRIDE + i / 4u], vec4<f32>()));
    return select(vec4<u32>(), min(list, vec4<u32>(RANKS)), vec4<u32>(i, i + 1u, i + 2u, i + 3u) < vec4<u32>(fours));
}

fn slot_of(n: u32) -> u32 { return adapter_slot(n / 2u * 2u, n % 2u); }

// adapted is all that is added for a row of x and four of the piece. Four fours of ranks are read at once, whether they are the row's or
// not: a read that waits for what another brings would take longer than all of them.
fn adapted(m: u32, n: vec4<u32>, fours: u32) -> vec4<f32> {
    return adapted_of(m, n, vec4<u32>(slot_of(n.x), slot_of(n.y), slot_of(n.z), slot_of(n.w)), fours);
}

// adapted_of is the same where it is known which slots they are of.
fn adapted_of(m: u32, n: vec4<u32>, slots: vec4<u32>, fours: u32) -> vec4<f32> {
    var sum = vec4<f32>();
    for (var i = 0u; i < RANKS; i += LISTED) {
        if i >= fours {
            break;
        }
        let list = adapter_list(m, i, fours);
        //! unroll
        for (var j = 0u; j < LISTED; j++) {
            let b = max(list[j], 1u) - 1u;
            let more = vec4<f32>(dot(adapter_u(m, slots.x, i + j), adapter_b(n.x, b)), dot(adapter_u(m, slots.y, i + j), adapter_b(n.y, b)),
                dot(adapter_u(m, slots.z, i + j), adapter_b(n.z, b)), dot(adapter_u(m, slots.w, i + j), adapter_b(n.w, b)));
            sum += select(vec4<f32>(), more, list[j] > 0u);
        }
    }
    return sum;
}
