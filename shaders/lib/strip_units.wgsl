// A strip's units, read one by one. Other libraries read it in fewer words.
//! include: weights
alias Strip = array<Unit, 4>;

fn strip_at(row: u32, strip: u32) -> Strip {
    let at = strip * 4u;
    return Strip(unit_at(row, at), unit_at(row, at + 1u), unit_at(row, at + 2u), unit_at(row, at + 3u));
}
