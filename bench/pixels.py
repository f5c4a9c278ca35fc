"""What a 1080p picture takes from RGB and gray to YUV: libavfilter's scaler beside CPixels, in one process, in turns.

`python3 -m bench.pixels` compiles `pixels/main.c` with Sources/CPixels and prints a table of milliseconds of processor
time, the least of twelve turns. It needs clang, and the libraries' headers.
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
KERNELS = HERE.parent / "Sources" / "CPixels"


def _program(folder):
    compiler = shutil.which("clang")
    if compiler is None:
        raise SystemExit("bench.pixels: no clang, which the kernels are written for")
    program = folder / "pixels"
    sources = [HERE / "pixels" / "main.c", *sorted(KERNELS.glob("*.c"))]
    libraries = ["-lavfilter", "-lavutil", "-lswscale"]
    subprocess.run([compiler, "-O2", "-I", KERNELS / "include", *sources, *libraries, "-o", program], check=True)
    return program


def main():
    with tempfile.TemporaryDirectory() as folder:
        lines = subprocess.run([_program(pathlib.Path(folder))], check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [(name, [figure.rsplit(" ", 1) for figure in figures]) for name, *figures in (line.split("\t") for line in lines)]
    print("| ms a 1080p picture | " + " | ".join(subject for subject, _ in rows[0][1]) + " | libswscale ÷ the last |")
    print("|---" * (len(rows[0][1]) + 2) + "|")
    for name, figures in rows:
        values = [float(value) for _, value in figures]
        print(f"| {name} | " + " | ".join(f"{value:.3g}" for value in values) + f" | {values[0] / values[-1]:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
