// A product whose workgroups sum a part of K each, the part that workgroup_id.z counts. Each gives as many rows as x has, one part's
// behind the other's, which sum_parts.wgsl adds up.
//! const K_BEGIN: u32  first column of the launch, in fours
//! const K_END: u32    end of its columns, in fours
//! const PART: u32     columns of a part, in fours
fn k_begin(part: u32) -> u32 { return K_BEGIN + part * PART; }
fn k_end(part: u32) -> u32 { return min(K_BEGIN + (part + 1u) * PART, K_END); }
fn part_row(part: u32, rows: u32, m: u32) -> u32 { return part * rows + m; }
