// Columns of the keys of an item, read in place.
//! include: item

// A key that no row of the tile sees is read from a place that exists, and is 0.
fn k_loaded(item: Item, keys: Keys, key: i32, c: u32) -> vec4<f32> {
    let x = k_column(kv_at(item.keys_at, item.kv_head, u32(min(key, keys.highest - 1))), min(c, COLUMNS - 1u));
    return select(vec4<f32>(0.0), x, loaded(keys, key) && c < COLUMNS);
}

fn v_loaded(item: Item, keys: Keys, key: i32, c: u32) -> vec4<f32> {
    let x = v_column(kv_at(item.keys_at, item.kv_head, u32(min(key, keys.highest - 1))), min(c, COLUMNS - 1u));
    return select(vec4<f32>(0.0), x, loaded(keys, key) && c < COLUMNS);
}
