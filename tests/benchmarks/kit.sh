#!/bin/sh
# Measures and tests Quire on a machine with a GPU but without Go, from the folder that "make kit" fills:
#
#	sh kit.sh OUT native     the native binary's benchmarks, and the kernels' tests on this adapter
#	sh kit.sh OUT tab        the same in Chromium ($QUIRE_CHROMIUM, with $QUIRE_CHROMIUM_FLAGS)
#
# What is printed goes to files in OUT too; a part that fails does not stop the others.
set -u
out=$1 part=$2
cd "$(dirname "$0")"
mkdir -p "$out"

# step NAME COMMAND... runs a command for ten minutes at most and keeps what it prints.
step() {
	name=$1
	shift
	echo "== $name: $*"
	timeout 600 "$@" >"$out/$part-$name.txt" 2>&1
	echo "exit $?" >>"$out/$part-$name.txt"
	tail -n 25 "$out/$part-$name.txt"
}

shape="--type q4_0 --prompt 512,2048 --gen 128 --batch 1,8"
case $part in
native)
	step adapters ./quire adapters
	step attention ./quire bench attention --charts "$out"
	step tune ./quire tune
	step llama-1b ./quire bench --shape llama-1b $shape
	step llama-1b-profile ./quire bench --shape llama-1b $shape --profile
	step linear ./kernel.test -test.run '^$' -test.bench Linear
	step attention-tests ./attention.test -test.run .
	QUIRE_ALL=1 step kernel-tests ./kernel.test -test.run .
	;;
tab)
	step attention ./wasmexec --assets . attend.wasm -test.run '^$' -test.bench Attention -test.benchtime 1x
	step llama-1b ./wasmexec --assets . bench.wasm -test.run '^$' -test.bench Shape/llama-1b -test.benchtime 1x
	step attention-tests ./wasmexec --assets . attention.wasm -test.run .
	;;
*)
	echo "kit.sh: there are the parts native and tab, not $part" >&2
	exit 2
	;;
esac
