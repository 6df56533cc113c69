// What LoRA adapters add to a product: b·u of b, [N_ALL][RANKS] in fours of ranks, and what lora_down leaves behind it for each row of x:
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
fn adapter_b(n: u32, four: u32) -> vec4<f32> { return adapters[(N_AT + FIRST + n) * RANKS + four]; }

// adapter_u gives the i-th four for row m of x and a slot.
fn adapter_u(m: u32, slot: u32, i: u32) -> vec4<f32> { return adapters[N_ALL * RANKS + m * U_STRIDE + LIST + slot * RANKS + i]; }

// adapter_fours is how many fours of ranks rows have at most.
fn adapter_fours() -> u32 { return min(step[STEP_LORA_FOURS], RANKS); }

// adapter_four gives the number, from 1 on, of the i-th four of row m; 0 where there is none. Not all compilers bound what a negative
// float becomes, and self-tests put some here.
fn adapter_four(m: u32, i: u32) -> u32 { return min(u32(max(adapters[N_ALL * RANKS + m * U_STRIDE + i / 4u][i % 4u], 0.0)), RANKS); }

// adapted is all that is added for a row of x and one of the piece.
fn adapted(m: u32, n: u32, fours: u32) -> f32 {
    let slot = adapter_slot(n / 2u * 2u, n % 2u);
    var sum = 0.0;
    //! turns: RANKS
    for (var i = 0u; i < fours; i++) {
        let four = adapter_four(m, i);
        if four > 0u {
            sum += dot(adapter_u(m, slot, i), adapter_b(n, four - 1u));
        }
    }
    return sum;
}
