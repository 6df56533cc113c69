// Keys one after another: [token][KV head][row]. Where a block table would be stands the sequence's first key.
//! const GROUP: u32     KV group
//! const KV_HEADS: u32  KV heads
fn keys_of(row: u32) -> u32 { return row_block(row, GROUP, 0u); }
fn keys_from(row: u32, table: u32) -> u32 { return keys_of(row); }
fn kv_at(keys_at: u32, kv_head: u32, key: u32) -> u32 { return kv_place(kv_row(keys_at, kv_head, key), 0u); }
fn kv_row(keys_at: u32, kv_head: u32, key: u32) -> u32 { return (keys_at + key) * KV_HEADS + kv_head; }
