// Attention whose items see all keys of their query rows: the result is final.
fn keeps_partial(flags: u32) -> bool { return false; }
fn partial_at(item: Item, flat: u32) -> u32 { return 0u; }
fn partial_column(index: u32, c: u32, x: vec4<f32>) {}
