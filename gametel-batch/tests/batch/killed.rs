//! A run that is killed by the system, in the middle of whatever it does.

use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use gametel_core::testing::EventGenerator;

use crate::log::append;
use crate::support::{batch, command, rows, text};

/// The raw events of a dataset, in order. None if there is no dataset.
fn raw(output: &Path, dataset: &str) -> Option<Vec<String>> {
    let folder = output.join(dataset);
    let read = |folder| {
        let rows = rows(folder);
        rows.into_iter().map(|mut row| row.remove("raw_event").unwrap().unwrap()).collect()
    };
    folder.exists().then(|| read(&folder))
}

/// How many runs are killed.
const ROUNDS: u32 = 6;

#[test]
fn appends_that_are_killed_add_each_event_once() {
    const DATASETS: [&str; 3] = ["equipment_purchases", "consumable_purchases", "guild_joins"];
    let folder = tempfile::tempdir().unwrap();
    let (output, whole) = (folder.path().join("tables"), folder.path().join("whole"));
    let mut generator = EventGenerator::new(1);
    let mut killed = 0;
    let source = append(folder.path(), generator.by_ref().take(100).collect());
    for output in [&whole, &output] {
        batch(&["run", "--source", &source, "--output", text(output)]).done();
    }
    for round in 0..ROUNDS {
        let source = append(folder.path(), generator.by_ref().take(1_000).collect());
        let before = DATASETS.map(|dataset| raw(&output, dataset));
        let run = |output: &Path, mode: &'static str| {
            let mut run =
                command(&["run", "--source", &source, "--output", text(output), "--mode", mode]);
            run.stdout(Stdio::null());
            run
        };
        // What all of it would be, in one run; and about how long that takes.
        let started = Instant::now();
        assert!(run(&whole, "overwrite").status().unwrap().success());
        let delay = started.elapsed() * (round + 1) / (ROUNDS * 3 / 4);

        let mut child = run(&output, "append").spawn().unwrap();
        // Any moment will do: each round waits for more of that time than the one before.
        std::thread::sleep(delay);
        child.kill().unwrap();
        let status = child.wait().unwrap();
        killed += u32::from(!status.success());
        for (dataset, before) in DATASETS.iter().zip(before) {
            let (seen, whole) = (raw(&output, dataset), raw(&whole, dataset));
            assert!(seen == before || seen == whole, "round {round}: half of {dataset} is seen");
        }
    }
    let source = append(folder.path(), generator.take(10).collect());
    for (output, mode) in [(&whole, "overwrite"), (&output, "append")] {
        batch(&["run", "--source", &source, "--output", text(output), "--mode", mode]).done();
    }
    for dataset in DATASETS {
        assert!(raw(&output, dataset) == raw(&whole, dataset), "{dataset} is not the whole");
    }
    assert!(!output.join("_gametel/staging").exists());
    eprintln!("{killed} of {ROUNDS} runs were killed before their ends");
    assert!(killed > 0, "no run was killed");
}
