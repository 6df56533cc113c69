#!/bin/sh
# Measures and tests Quire on a Linux machine with a GPU but without Go. "make kit" fills bin/kit and packs it for carrying,
# as bin/kit-PART.tar.xz: native, cogentcore and tab, and data, which all tests need, with SmolLM2 apart in the pieces
# bin/kit-model.aa and .ab. There, unpack what is wanted into one folder, put the pieces into it, and:
#
#	sh kit.sh OUT native                  the native binary's benchmarks
#	sh kit.sh OUT tab                     the same in Chromium
#	sh kit.sh OUT native-tests [WHAT]     the GPU packages' tests, on the default binding
#	sh kit.sh OUT cogentcore-tests [WHAT] the same on cogentcore/webgpu
#	sh kit.sh OUT tab-tests [WHAT]        the same in Chromium
#
# WHAT is any of: "all" for every combination and every golden prompt (QUIRE_ALL), names of packages, a regular expression of
# tests, and one behind "-" of tests to leave out. A package gets nine minutes. Attention's longest tests take variants, and
# can be run in pieces:
#
#	sh kit.sh OUT native-tests TestGolden
#	sh kit.sh OUT tab-tests all attention -TestEverything
#	QUIRE_VARIANT=f16 sh kit.sh OUT tab-tests all attention 'TestEverything/dim_(32|40|59)_'
#
# Chromium is $QUIRE_CHROMIUM with $QUIRE_CHROMIUM_FLAGS; set but empty, they leave the adapter to it. TestKernelTextsAlike is
# left out, as it needs Go: of what it compares, TestKernels prints both sides. All that is printed goes to files in OUT;
# a part that fails does not stop the others.
set -u
mkdir -p "$1"
out=$(cd "$1" && pwd) part=$2
shift 2
cd "$(dirname "$0")"

# step NAME COMMAND... runs a command for ten minutes at most and keeps what it prints.
step() {
	name=$1
	shift
	echo "== $name: $*"
	timeout 600 "$@" >"$out/$part-$name.txt" 2>&1
	echo "exit $?" >>"$out/$part-$name.txt"
	tail -n 25 "$out/$part-$name.txt"
}

# count reads what a package's tests print, each of their marks behind a ^V, and writes how many passed and how the output of
# the others ends. A test that began and did not end has failed.
count='
{ if (mark = index($0, "\026")) $0 = substr($0, mark + 1) }
/^=== / { test = $3; if ($2 == "RUN") running[test] = 1; next }
/^--- (PASS|FAIL|SKIP): / { delete running[$3]; number[$2]++; if ($2 != "PASS:") told[++n] = $2 " " $3; next }
/^exit [0-9]+ after / { code = $2; seconds = $4; next }
/^(panic|fatal error|wasmexec): / { told[++n] = $0 }
{ line[test, ++lines[test]] = $0 }
END {
	for (test in running) { number["FAIL:"]++; told[++n] = "FAIL: " test " did not end" }
	if (code != 0 && !number["FAIL:"]) { number["FAIL:"] = 1; told[++n] = "FAIL: exit " code }
	printf "%s: %d passed, %d failed, %d skipped in %d s\n", name, number["PASS:"], number["FAIL:"], number["SKIP:"], seconds
	for (i = 1; i <= n; i++) {
		print "  " told[i]
		split(told[i], word)
		last = lines[word[2]]
		for (j = last > 12 ? last - 11 : 1; j <= last; j++) print "    " line[word[2], j]
	}
	exit number["FAIL:"] > 0
}'

# tests FOLDER [WASMEXEC] runs what was asked of the tests in a folder.
tests() {
	export QUIRE_DATA="${QUIRE_DATA:-$PWD/data}" QUIRE_KERNELS=1 CI=true
	model=$QUIRE_DATA/models/SmolLM2-135M-Instruct.Q4_1.gguf
	if [ ! -f "$model" ] && [ -f kit-model.aa ] && [ -f kit-model.ab ]; then cat kit-model.a? >"$model"; fi
	cd "$1"
	failed=0
	for package in ${packages:-*.test}; do
		{
			start=$(date +%s)
			timeout 570 ${2:-} "./$package" -test.v=test2json -test.timeout 9m -test.run "$run" -test.skip "$skip"
			printf '\nexit %d after %d s\n' $? $(($(date +%s) - start))
		} 2>&1 | tee -a "$out/$part.txt" | awk -v name="$1 ${package%.test}" "$count" || failed=1
	done
	exit $failed
}

packages='' run=. skip='^TestKernelTextsAlike$'
for what; do
	case $what in
	all) export QUIRE_ALL=1 ;;
	-*) skip="$skip|${what#-}" ;;
	*) if [ -f "${part%-tests}/$what.test" ]; then packages="$packages $what.test"; else run=$what; fi ;;
	esac
done

shape="--type q4_0 --prompt 512,2048 --gen 128 --batch 1,8"
case $part in
native)
	step adapters native/quire adapters
	step attention native/quire bench attention --charts "$out"
	step tune native/quire tune
	step llama-1b native/quire bench --shape llama-1b $shape --json
	step llama-1b-profile native/quire bench --shape llama-1b $shape --profile
	step linear native/kernel.test -test.run '^$' -test.bench Linear
	;;
tab)
	step attention tab/wasmexec tab/attend.test -test.run '^$' -test.bench Attention -test.benchtime 1x
	step llama-1b tab/wasmexec tab/bench-web.wasm --shape llama-1b $shape --json
	;;
native-tests | cogentcore-tests) tests "${part%-tests}" ;;
tab-tests) tests tab ./wasmexec ;;
*)
	echo "kit.sh: there are the parts native, tab, native-tests, cogentcore-tests and tab-tests, not $part" >&2
	exit 2
	;;
esac
