// Which keys a query sees, masks apart. Position and key count from the sequence's first key; a query's position may be
// negative. The header sets CAUSAL, WINDOW (0: all keys) and SINKS.

fn in_sight(position: i32, key: i32) -> bool {
    let before = position - key;
    return (!CAUSAL || before >= 0) && (WINDOW == 0u || key < i32(SINKS) || abs(before) < i32(WINDOW));
}
