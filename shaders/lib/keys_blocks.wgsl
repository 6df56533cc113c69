// Keys in the blocks of a paged cache: [block][KV head][slot][row], through the sequence's block table.
fn kv_row(row: u32, kv_head: u32, key: u32) -> u32 {
    let block = row_block(row, GROUP, key / BLOCK_SIZE);
    return (block * KV_HEADS + kv_head) * BLOCK_SIZE + key % BLOCK_SIZE;
}
