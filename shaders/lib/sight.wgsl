// Which keys a query sees, masks apart. Position and key count from the sequence's first key; a query's position may be
// negative.
//! const CAUSAL: bool  a query sees no key behind its own position
//! const WINDOW: u32   a query sees keys less than so far away; 0: all
//! const SINKS: u32    first keys that stay in sight under a window

fn in_sight(position: i32, key: i32) -> bool {
    let before = position - key;
    return (!CAUSAL || before >= 0) && (WINDOW == 0u || key < i32(SINKS) || abs(before) < i32(WINDOW));
}
