// What repacking shares. A type's library has two functions for it, which take what a file holds of the weights that share
// words of scales:
//   pack_codes   writes the words of one of their strips
//   pack_scales  writes the words of their scales
alias Stored = array<u32, 64>; // as in the file, from its first byte on; zeros past the row's end
alias Packed = array<u32, 32>;

fn word_at(stored: ptr<function, Stored>, at: u32) -> u32 {
    let shift = (at % 4u) * 8u;
    let low = (*stored)[at / 4u];
    if shift == 0u {
        return low;
    }
    return (low >> shift) | ((*stored)[at / 4u + 1u] << (32u - shift));
}
fn half_at(stored: ptr<function, Stored>, at: u32) -> u32 { return word_at(stored, at) & 0xFFFFu; }
fn byte_at(stored: ptr<function, Stored>, at: u32) -> u32 { return word_at(stored, at) & 0xFFu; }

// spread moves the four low nibbles of a word's bytes together.
fn spread(w: u32) -> u32 {
    let v = w & 0x0F0F0F0Fu;
    return (v & 0xFu) | ((v >> 4u) & 0xF0u) | ((v >> 8u) & 0xF00u) | ((v >> 12u) & 0xF000u);
}
