// A table of 16 words that the invocations of a subgroup hold, a word each. Where it is looked up all of them must be active.
//! const HEAD: u32  words of the table
var<private> table_word: u32;

fn table_start(lid: u32) { table_word = table_entry(lid % HEAD); }
fn table_at(i: u32) -> u32 { return subgroupShuffle(table_word, i); }
