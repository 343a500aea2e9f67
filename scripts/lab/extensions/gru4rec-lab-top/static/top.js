// JupyterLab goes to the last cell when all cells are run. A lesson is read from the top.
const RUN_ALL = ["notebook:run-all-cells", "runmenu:run-all"];

const plugin = {
  id: "gru4rec-lab-top:plugin",
  autoStart: true,
  activate: (app) => {
    app.commands.commandExecuted.connect((_, { id }) => {
      const notebook = app.shell.currentWidget?.content;
      if (!RUN_ALL.includes(id) || !notebook?.scrollToItem) return;
      notebook.activeCellIndex = 0;
      notebook.scrollToItem(0, "start").catch(() => {});
    });
  },
};

(window._JUPYTERLAB ??= {})["gru4rec-lab-top"] = {
  init: () => {},
  get: async () => () => ({ __esModule: true, default: plugin }),
};
