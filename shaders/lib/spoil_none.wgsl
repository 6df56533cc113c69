// Keeps no account of what is no number.
fn spoil(t: u32) {}
