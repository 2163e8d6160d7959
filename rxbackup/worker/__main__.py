"""`python -m rxbackup.worker`: the worker that the web app starts beside itself."""

from rxbackup.worker.main import run

if __name__ == "__main__":
    run()
