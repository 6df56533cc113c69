// What LoRA adapters add to a product, as if u were more columns of x: b, [N_ALL][RANKS], and behind it u, [row][slot][RANKS], in
// fours, which lora_down makes. A slot is a matrix of those that the product is made of.
//! include: lora
//! const RANKS: u32             fours of all adapters' ranks
//! const N_ALL: u32             rows of all matrices
//! const N_AT: u32              where those of W begin among them
//! const FIRST: u32             the first row of the piece in W
//! const SLOTS: u32             matrices
//! const SECOND: u32            where the second slot's rows begin
//! const THIRD: u32             the third's
//! const FOURTH: u32            the fourth's
//! const IN_TURN: bool          rows are of two slots in turn
//! const EVEN_SLOTS: bool       slots begin at multiples of 4
//! const ADAPTERS_BINDING: u32  binding of b and u
const ADAPTED: bool = true;
const FOURS: u32 = RANKS;
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

// adapter_b and adapter_u give fours of ranks for the piece's row n, and for row m of x and a slot.
fn adapter_b(n: u32, r: u32) -> vec4<f32> { return adapters[(N_AT + FIRST + n) * RANKS + r]; }
fn adapter_u(m: u32, slot: u32, r: u32) -> vec4<f32> { return adapters[(N_ALL + m * SLOTS + slot) * RANKS + r]; }

// adapted is all that is added for a row of x and one of the piece. Of many ranks most are no adapter's of the row's.
fn adapted(m: u32, n: u32) -> f32 {
    let slot = adapter_slot(n / 2u * 2u, n % 2u);
    var sum = 0.0;
    for (var r = 0u; r < RANKS; r++) {
        let u = adapter_u(m, slot, r);
        if any(u != vec4<f32>()) {
            sum += dot(u, adapter_b(n, r));
        }
    }
    return sum;
}
