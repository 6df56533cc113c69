// A product that sums all of K.
//! const K_BEGIN: u32  first column of the launch, in fours
//! const K_END: u32    end of its columns, in fours
fn k_begin(part: u32) -> u32 { return K_BEGIN; }
fn k_end(part: u32) -> u32 { return K_END; }
fn part_row(part: u32, rows: u32, m: u32) -> u32 { return m; }
