//! Random programs, run twice: with the placement of `bind` on one arena, and with a buffer for every slot. And
//! random damage.

use crate::execute::{AnyPlan, AnyPlanner, run_naive, run_placed};
use crate::random::random_program;
use crate::testing::{Builder, RegionBuilder, Rng, attr};
use crate::*;

#[test]
fn placed_programs_compute_what_separate_buffers_do() {
    let (mut takeovers, mut tails) = (0, 0);
    for seed in 0..4000 {
        let program = Program::decode(&random_program(seed)).unwrap();
        let bound = bind(&program, &[], &mut AnyPlanner).unwrap();
        let mut rng = Rng::new(seed);
        let args: Vec<Vec<u8>> =
            bound.main.params.iter().map(|shape| (0..shape.bytes()).map(|_| rng.draw() as u8).collect()).collect();
        let want = run_naive(&program, &program.main, &args);
        let donated: Vec<bool> = args.iter().map(|_| rng.below(2) == 0).collect();
        assert_eq!(run_placed(&program, &bound, &args, &donated), want, "seed {seed}");
        assert_eq!(run_placed(&program, &bound, &args, &vec![true; args.len()]), want, "seed {seed}, all donated");
        takeovers += bound.takeovers.len();
        let is_joined =
            |step: &&Step<_>| matches!(step, Step::Kernel { plan: AnyPlan { kernel_ins: Some(_), .. }, .. });
        tails += bound.main.steps.iter().filter(is_joined).count();
    }
    assert!(takeovers > 300 && tails > 300, "{takeovers} takeovers, {tails} tails");
}

/// How often: MILLRACE_FUZZ, or 50,000 times.
#[test]
fn damaged_programs_are_refused_or_run() {
    let count: u64 = std::env::var("MILLRACE_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000);
    let samples: Vec<Vec<u8>> = (0..64).map(random_program).collect();
    let mut rng = Rng::new(99);
    let (mut refused, mut ran) = (0, 0);
    for _ in 0..count {
        let mut bytes = samples[rng.below(samples.len())].clone();
        for _ in 0..1 + rng.below(3) {
            damage(&mut rng, &mut bytes);
        }
        let bound = Program::decode(&bytes).and_then(|program| {
            let sizes = vec![3; program.symbols];
            bind(&program, &sizes, &mut AnyPlanner).map(|bound| (program, bound))
        });
        let Ok((program, bound)) = bound else {
            refused += 1;
            continue;
        };
        let shapes = bound.main.params.iter().chain(&bound.main.results);
        if shapes.map(Shape::bytes).fold(bound.main.arena, usize::saturating_add) < 1 << 16 {
            let args: Vec<Vec<u8>> = bound.main.params.iter().map(|shape| vec![1; shape.bytes()]).collect();
            run_placed(&program, &bound, &args, &vec![true; args.len()]);
            ran += 1;
        }
    }
    assert!(refused > count / 10 && ran > count / 100, "{refused} refused, {ran} ran");
}

fn damage(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let word = rng.below(bytes.len() / 4) * 4;
    match rng.below(6) {
        0 => bytes.truncate(rng.below(bytes.len()).max(8)),
        1 => {
            let at = rng.below(bytes.len());
            bytes[at] ^= 1 << rng.below(8);
        }
        2 => bytes[word..word + 4].copy_from_slice(&[0xff; 4]),
        3 => {
            let from = rng.below(bytes.len() / 4) * 4;
            bytes.copy_within(from..from + 4, word);
        }
        4 => {
            let value = u32::from_le_bytes([bytes[word], bytes[word + 1], bytes[word + 2], bytes[word + 3]]);
            let value = if rng.below(2) == 0 { value.wrapping_add(1) } else { value.wrapping_sub(1) };
            bytes[word..word + 4].copy_from_slice(&value.to_le_bytes());
        }
        _ => bytes[word..word + 4].copy_from_slice(&(rng.below(8) as u32).to_le_bytes()),
    }
}

/// y = x + x over a symbolic size n, and its sum.
fn doubled() -> Vec<u8> {
    let mut builder = Builder::new();
    let (zero, one) = (builder.size(0), builder.size(1));
    let n = builder.symbol();
    let limit = builder.size(100);
    builder.guard(1, n, limit);
    let mut main = RegionBuilder::new();
    let x = main.param(DType::Float32, &[n]);
    let y = main.slot(DType::Float32, &[n]);
    let total = main.slot(DType::Float32, &[]);
    main.fused(&[n], &[(x, zero, &[one])], &[(Op::Add, DType::Float32, &[0, 0], 0)], &[(y, 1, None, 0)]);
    main.fused(&[n], &[(y, zero, &[one])], &[], &[(total, 0, Some(Op::ReduceSum), 1)]);
    builder.finish(&main.finish(&[y, total]))
}

fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().map(|error| error.code)
}

#[test]
fn sizes_are_bound_and_guarded() {
    let program = Program::decode(&doubled()).unwrap();
    let bound = bind(&program, &[7], &mut AnyPlanner).unwrap();
    assert_eq!(bound.main.results[0].dims(), [7]);
    assert_eq!(bound.takeovers, [Takeover { result: 0, param: 0, step: 0 }]);
    assert_eq!(bind(&program, &[0], &mut AnyPlanner).unwrap().main.results[0].bytes(), 0);
    assert_eq!(code(bind(&program, &[101], &mut AnyPlanner)), Some(Code::Guard));
    assert_eq!(code(bind(&program, &[], &mut AnyPlanner)), Some(Code::Argument));
    assert_eq!(code(bind(&program, &[-1], &mut AnyPlanner)), Some(Code::Shape));
}

#[test]
fn other_versions_are_named() {
    let mut bytes = doubled();
    bytes[4] = 2;
    assert_eq!(code(Program::decode(&bytes)), Some(Code::Version));
    bytes[4] = 1;
    bytes[8] ^= 1;
    assert_eq!(code(Program::decode(&bytes)), Some(Code::Version));
    assert_eq!(code(Program::decode(&bytes[..3])), Some(Code::Format));
    assert_eq!(code(Program::decode(b"no program at all")), Some(Code::Format));
}

#[test]
fn a_load_must_stay_inside_its_buffer() {
    for (offset, stride, fits) in [
        (0, 1, true),
        (7, -1, true),
        (1, 1, false),
        (0, 2, false),
        (6, -1, false),
        (-1, 1, false),
        (0, i64::MAX, false),
    ] {
        let mut builder = Builder::new();
        let (n, offset_at, stride_at) = (builder.size(8), builder.size(offset), builder.size(stride));
        let mut main = RegionBuilder::new();
        let x = main.param(DType::Int32, &[n]);
        let y = main.slot(DType::Int32, &[n]);
        main.fused(&[n], &[(x, offset_at, &[stride_at])], &[(Op::Neg, DType::Int32, &[0], 0)], &[(y, 1, None, 0)]);
        let program = Program::decode(&builder.finish(&main.finish(&[y]))).unwrap();
        let bound = bind(&program, &[], &mut AnyPlanner);
        assert_eq!(bound.is_ok(), fits, "offset {offset}, stride {stride}");
        if let Ok(bound) = bound {
            assert_eq!(bound.takeovers.len(), usize::from(stride == 1), "only a dense load may be overwritten");
        }
    }
}

#[test]
fn a_class_read_in_two_ways_is_not_overwritten() {
    let mut builder = Builder::new();
    let (zero, one, n, last, back) =
        (builder.size(0), builder.size(1), builder.size(8), builder.size(7), builder.size(-1));
    let mut main = RegionBuilder::new();
    let x = main.param(DType::Float32, &[n]);
    let alias = main.slot(DType::Float32, &[n]);
    let y = main.slot(DType::Float32, &[n]);
    main.alias(x, alias);
    main.fused(
        &[n],
        &[(x, zero, &[one]), (alias, last, &[back])],
        &[(Op::Add, DType::Float32, &[0, 1], 0)],
        &[(y, 2, None, 0)],
    );
    let program = Program::decode(&builder.finish(&main.finish(&[y]))).unwrap();
    assert_eq!(bind(&program, &[], &mut AnyPlanner).unwrap().takeovers, []);
}

#[test]
fn nothing_is_taken_over_before_an_assertion() {
    let mut builder = Builder::new();
    let (zero, one, n) = (builder.size(0), builder.size(1), builder.size(8));
    let mut main = RegionBuilder::new();
    let (x, ok) = (main.param(DType::Float32, &[n]), main.param(DType::Bool, &[]));
    let (y, z) = (main.slot(DType::Float32, &[n]), main.slot(DType::Float32, &[n]));
    main.fused(&[n], &[(x, zero, &[one])], &[(Op::Neg, DType::Float32, &[0], 0)], &[(y, 1, None, 0)]);
    main.library(Op::Assert, &[ok, y], &[z], &[("message", attr::string("positive"))], &[]);
    let program = Program::decode(&builder.finish(&main.finish(&[z]))).unwrap();
    assert_eq!(bind(&program, &[], &mut AnyPlanner).unwrap().takeovers, []);
}
