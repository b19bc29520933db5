# accept: ulimit 256: existing 0 drops, new ones refused, accept loop <= 5 % CPU, recovers <= 1 s
import checks
import t_attack_faults
import t_faults


def run():
    return checks.play(t_attack_faults.descriptors, t_faults.few_descriptors)
