use std::cell::RefCell;

/// The random bytes of one id.
type Part = [u8; 10];

/// How many ids one system call serves. One call an id would be the dearest part of recording an
/// event; one call for very many would be felt when it comes: it takes longer the more it fetches.
const PARTS: usize = 16;

/// Random bytes that were fetched ahead; each is used once.
struct Pool {
    parts: [Part; PARTS],
    left: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { parts: [[0; 10]; PARTS], left: 0 }) };
}

/// Random bytes that nobody had before.
pub(super) fn next() -> Part {
    // A thread that is ending has no pool any more.
    POOL.try_with(|pool| pool.borrow_mut().next()).unwrap_or_else(|_| {
        let mut part = Part::default();
        fill(&mut part);
        part
    })
}

impl Pool {
    fn next(&mut self) -> Part {
        if self.left == 0 {
            fill(self.parts.as_flattened_mut());
            self.left = PARTS;
        }
        self.left -= 1;
        // Taken out, so that no id can be read back from memory, nor given twice.
        std::mem::take(&mut self.parts[self.left])
    }
}

/// # Panics
///
/// The operating system has no randomness, as `uuid` and the hash maps of the standard library
/// panic then.
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_come_twice_on_any_thread() {
        let draw = || std::thread::spawn(|| (0..10 * PARTS).map(|_| next()).collect::<Vec<_>>());
        let threads: Vec<_> = (0..4).map(|_| draw()).collect();
        let drawn = threads.into_iter().flat_map(|thread| thread.join().unwrap());
        assert_eq!(drawn.collect::<HashSet<_>>().len(), 4 * 10 * PARTS);
    }
}
