"""What a step does before its layers and after them, each as one call from Python.

A step without extra samples is as short as a few hundred lines of Python: between two matrix
products, which empty the caches, every call costs several microseconds before it does anything.
Arrays that belong together come as tuples, which cost no more than arrays one by one.
"""

from .adagrad import update, update_rows
from .columns import weigh
from .elementary import ZERO
from .jit import compiled
from .rows import add_to, attach_bias, gather, gather_with_bias, pick


@compiled
def fetch(inputs, n_sample, n, n_rows, tables, numbers, rows, correction, weights):
    """Gather the rows that `merge` found, of columns and inputs, and weigh the columns.

    Returns the sum of the columns' weights. With the names of `gather_with_bias` and `weigh`:

    tables: that of the outputs, that of the inputs, whether they are one, bias_at.
    numbers: items, column, row, counts, as `merge` wrote them; `n` and `n_rows` as it returned.
    rows: those of the columns, those of the inputs; both written.
    correction: how, by_item, logq, mask.
    weights: weight, left, shift, bias, by_bias; written, the last with zeros.
    """
    table, inputs_table, one_table, bias_at = tables
    items, column, row, counts = numbers
    of_columns, of_inputs = rows
    how, by_item, logq, mask = correction
    weight, left, shift, bias, by_bias = weights
    if one_table:
        gather_with_bias(table, items, n_rows, of_columns, bias_at, bias)
        pick(of_columns, row, of_inputs)
    else:
        gather_with_bias(table, items, n, of_columns, bias_at, bias)
        gather(inputs_table, inputs, len(inputs), of_inputs)
    weight, by_bias = weight[:n], by_bias[:n]
    by_bias[:] = ZERO
    return weigh(
        how, counts, column, items, by_item, n_sample, logq, mask, weight, left, shift, bias
    )


@compiled
def learn(outputs, inputs, dense, numbers, gradients, how, one_table, bias_at, n, n_rows):
    """Adagrad on the rows that a step looked up, on their biases and on all dense parameters.

    outputs, inputs, dense: values, accumulators and velocities of each.
    numbers: items, clicked, row, as `merge` wrote them; `n` and `n_rows` as it returned them.
    gradients: by rows and biases of the columns, by the inputs' rows, by the dense parameters, and
        room for those of merged inputs.
    how: learning rate, momentum, Adagrad's constant.
    """
    items, clicked, row = numbers
    by_rows, by_bias, by_clicked, by_dense, by_inputs = gradients
    if one_table:
        # The gradients of a row as input and as output meet before they are squared.
        attach_bias(by_rows, n, n_rows, bias_at, by_bias)
        add_to(by_rows, row, by_clicked)
        update_rows(outputs, items, n_rows, by_rows, how, bias_at, n)
    else:
        attach_bias(by_rows, n, n, bias_at, by_bias)
        update_rows(outputs, items, n, by_rows, how, bias_at, n)
        by_inputs[:n_rows] = ZERO
        add_to(by_inputs, row, by_clicked)
        update_rows(inputs, clicked, n_rows, by_inputs, how, 0, n_rows)
    update(dense, by_dense, how)
