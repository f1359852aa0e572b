# Sourced by the scripts beside it. `tools NAME PACKAGE...` puts the commands of pinned PyPI packages on PATH, from a
# virtual environment that is made once, outside the repository; TATUM_TOOLS says where.
tools() {
    environment=${TATUM_TOOLS:-${TMPDIR:-/tmp}/tatum-tools}/$1
    shift
    if [ ! -e "$environment/complete" ]; then
        python3 -m venv --clear "$environment"
        "$environment/bin/pip" install --quiet --disable-pip-version-check "$@"
        touch "$environment/complete"
    fi
    PATH=$environment/bin:$PATH
}

# The native forge: npm's wrapper does not pass on its exit code.
for native in "$PWD"/node_modules/@foundry-rs/forge-*/bin; do
    if [ -x "$native/forge" ]; then PATH=$native:$PATH; fi
done
if ! command -v forge >/dev/null; then
    echo "forge not found: run \`npm ci --ignore-scripts\` in contracts/, or put forge on PATH" >&2
    exit 1
fi
