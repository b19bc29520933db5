# accept: new rooms refused at once, everybody told (1001), exit 0 <= 10 s forced or after the last person; browsers come back with their chat
import checks
import t_attack_faults
import t_faults


def run():
    measured, good = checks.play(t_attack_faults.terminated, t_faults.terminated, t_faults.drained)
    seen, passed = checks.browsers("crash:door")
    return {**measured, **seen}, good and passed
