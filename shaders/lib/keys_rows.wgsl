// Keys one after another: [token][KV head][row]. Where a block table would be stands the sequence's first key.
fn kv_row(row: u32, kv_head: u32, key: u32) -> u32 {
    return (row_block(row, GROUP, 0u) + key) * KV_HEADS + kv_head;
}
