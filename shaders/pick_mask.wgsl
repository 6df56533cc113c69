// Says which of some masks each output's token is drawn under: the first choice that the token before it, which its lane drew last,
// fits. Where none does that is mask 0, which forbids all.
//! include: fold
//! const VOCABULARY: u32       tokens
//! const CHOICES: u32          of an output, at most
//! const STEP_AT_OUTPUTS: u32  word of the step buffer that says where the outputs are
//! const OUTPUT_WORDS: u32     words of one: the second is its lane, the fourth has its flags
//! const OUTPUT_MASK: u32      bit of its flags from which on they are 1 + the number of its mask
@group(0) @binding(0) var<storage, read_write> step: array<u32>;
@group(0) @binding(1) var<storage, read> choices: array<u32>; // outputs; for each where its choices are, or 0 where it has no mask, and how many; (what, mask)
@group(0) @binding(2) var<storage, read> sets: array<u32>;    // the masks, and sets of tokens among them
@group(0) @binding(3) var<storage, read> lanes: array<u32>;   // the last token of each lane

const SET_WORDS: u32 = (VOCABULARY + 31u) / 32u;
const ALWAYS: u32 = 0xFFFFFFFFu; // what a choice is for: this, a set of tokens by its number with this bit, or a token
const OF_SET: u32 = 0x80000000u;

var<workgroup> first: atomic<u32>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let o = group.z * FOLD + group.y;
    if o >= choices[0] {
        return;
    }
    let at = choices[1u + 2u * o];
    if at == 0u {
        return;
    }
    let count = choices[2u + 2u * o];
    let output = step[STEP_AT_OUTPUTS] + o * OUTPUT_WORDS;
    let token = min(lanes[step[output + 1u]], VOCABULARY - 1u);
    if lane == 0u {
        atomicStore(&first, count);
    }
    workgroupBarrier();
    //! turns: CHOICES / 64u
    for (var i = lane; i < count; i += 64u) {
        let what = choices[at + 2u * i];
        var fits = what == ALWAYS || what == token;
        if what != ALWAYS && (what & OF_SET) != 0u {
            fits = ((sets[(what & ~OF_SET) * SET_WORDS + token / 32u] >> (token % 32u)) & 1u) != 0u;
        }
        if fits {
            atomicMin(&first, i);
        }
    }
    workgroupBarrier();
    if lane == 0u {
        let chosen = atomicLoad(&first);
        var mask = 0u;
        if chosen < count {
            mask = choices[at + 2u * chosen + 1u];
        }
        let flags = step[output + 3u] & ((1u << OUTPUT_MASK) - 1u);
        step[output + 3u] = flags | ((mask + 1u) << OUTPUT_MASK);
    }
}
