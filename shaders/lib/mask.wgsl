// A mask by block: for each MASK_BLOCK queries × MASK_BLOCK keys all hidden, all visible, or a dense block of bits, and with
// an additive mask numbers after them. engine/attention/mask.go is its other half. Queries count from the sequence's first
// query.
//! include: step
//! const MASK: u32  kind of mask: 0 none, 1 boolean, 2 additive
const MASK_BLOCK: u32 = 32u;
const MASK_HIDDEN: u32 = 0u;
const MASK_VISIBLE: u32 = 1u;

// mask_of gives the place of a sequence's mask in the step buffer, 0 where it has none.
fn mask_of(row: u32) -> u32 {
    if MASK == 0u {
        return 0u;
    }
    return step[step[STEP_AT_MASKS] + row];
}

// mask_entry gives the entry of the block that holds (query, key): MASK_HIDDEN, MASK_VISIBLE, or the place of its bits from
// the mask's start.
fn mask_entry(mask: u32, head: u32, query: u32, key: u32) -> u32 {
    if MASK == 0u || mask == 0u {
        return MASK_VISIBLE;
    }
    let plane = select(head, 0u, step[mask] == 1u);
    return step[mask + 3u + (plane * step[mask + 1u] + query / MASK_BLOCK) * step[mask + 2u] + key / MASK_BLOCK];
}

// mask_sees tells whether a query sees a key.
fn mask_sees(mask: u32, head: u32, query: u32, key: u32) -> bool {
    let entry = mask_entry(mask, head, query, key);
    if entry <= MASK_VISIBLE {
        return entry == MASK_VISIBLE;
    }
    return ((step[mask + entry + query % MASK_BLOCK] >> (key % MASK_BLOCK)) & 1u) == 1u;
}

// mask_adds gives what is added to a visible key's score.
fn mask_adds(mask: u32, head: u32, query: u32, key: u32) -> f32 {
    if MASK < 2u {
        return 0.0;
    }
    let entry = mask_entry(mask, head, query, key);
    if entry <= MASK_VISIBLE {
        return 0.0;
    }
    return bitcast<f32>(step[mask + entry + MASK_BLOCK + (query % MASK_BLOCK) * MASK_BLOCK + key % MASK_BLOCK]);
}
