# accept: reload on SIGHUP <= 1 s, 0 drops; expired = loud, not a crash
import os
import tempfile

import checks
import t_attack_faults
import t_faults


def run():
    with tempfile.TemporaryDirectory(prefix="amphi-fault-") as folder:
        os.chmod(folder, 0o755)
        return checks.play(t_attack_faults.certificates, lambda: t_faults.reloaded(folder))
