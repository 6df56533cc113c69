"""The chat templates of published models, which llama-cpp-python's sdist holds. They are not ours to keep."""
import glob
import os
import subprocess
import sys
import tarfile


def download(folder):
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "llama-cpp-python",
                    "llama-cpp-python==0.3.36", "-d", folder], check=True, stdout=sys.stderr)
    with tarfile.open(glob.glob(os.path.join(folder, "*.tar.gz"))[0]) as sdist:
        for member in sdist:
            if "/vendor/llama.cpp/models/templates/" in member.name and member.isfile():
                member.name = os.path.basename(member.name)
                sdist.extract(member, folder)
    return folder
