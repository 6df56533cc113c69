// Keys in the blocks of a paged cache: [block][KV head][slot][row], through the sequence's block table, whose place in the
// step keys_of gives: looked up once, for compilers do not know that no barrier changes it.
//! const GROUP: u32       KV group
//! const BLOCK_SIZE: u32  slots of a KV block
//! const BLOCK_PAD: u32   words between two blocks that other layers' larger ones need
//! const KV_HEADS: u32    KV heads
fn keys_of(row: u32) -> u32 { return row_table(row, GROUP); }
// keys_from is the same where the offset of KV group 0's table is known.
fn keys_from(row: u32, table: u32) -> u32 {
    if GROUP == 0u {
        return table;
    }
    return keys_of(row);
}
fn kv_at(keys_at: u32, kv_head: u32, key: u32) -> u32 {
    let block = step[keys_at + key / BLOCK_SIZE];
    return kv_place((block * KV_HEADS + kv_head) * BLOCK_SIZE + key % BLOCK_SIZE, block * BLOCK_PAD);
}
