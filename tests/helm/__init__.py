"""What an operator relies on in the chart. It is rendered, and what comes out is looked at: no cluster is needed."""
